%% A peer of the supervision bench: an OTP supervisor, one_for_one, with a process and a port for each child.
%%   erl -noshell -s otp_supervisor start -extra COUNT PROGRAM FIFO      runs COUNT times PROGRAM FIFO INDEX
-module(otp_supervisor).
-behaviour(supervisor).
-export([start/0, init/1, start_keeper/3, keep/4]).

%% Not in the process that boots the node: it would never be done.
start() ->
    [Count, Program, Fifo] = init:get_plain_arguments(),
    spawn(fun() ->
        {ok, _} = supervisor:start_link(?MODULE, {list_to_integer(Count), Program, Fifo}),
        receive after infinity -> ok end
    end).

init({Count, Program, Fifo}) ->
    logger:set_primary_config(level, none),  % a report for each death would be most of the work
    Children = [#{id => Index, start => {?MODULE, start_keeper, [Program, Fifo, Index]}, shutdown => brutal_kill}
                || Index <- lists:seq(0, Count - 1)],
    {ok, {#{strategy => one_for_one, intensity => 1000000, period => 1}, Children}}.

start_keeper(Program, Fifo, Index) ->
    proc_lib:start_link(?MODULE, keep, [self(), Program, Fifo, Index]).

keep(Supervisor, Program, Fifo, Index) ->
    Port = open_port({spawn_executable, Program}, [{args, [Fifo, integer_to_list(Index)]}, exit_status]),
    proc_lib:init_ack(Supervisor, {ok, self()}),
    receive {Port, {exit_status, Status}} -> exit({ended, Status}) end.
