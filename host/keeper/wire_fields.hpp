// The fields, in wire order, of the structs that messages carry, and the ranges of their enumerators. For wire.cpp.
#pragma once

#include "keeper/messages.hpp"

namespace tenon::keeper::wire {

template <class A> void fields(A& a, ExitStatus& v) { a(v.code)(v.signal)(v.core_dumped); }
template <class A> void fields(A& a, ProcessKey& v) { a(v.id)(v.generation); }
template <class A> void fields(A& a, ResourceLimit& v) { a(v.resource)(v.soft)(v.hard); }
template <class A> void fields(A& a, GroupLimits& v) { a(v.memory_bytes)(v.processes)(v.cpu_millicores); }
template <class A> void fields(A& a, StopPlan& v) { a(v.signal_number)(v.grace)(v.rank); }
template <class A> void fields(A& a, ChildDescriptors& v) { a(v.input)(v.output)(v.error)(v.channel)(v.notify); }
template <class A> void fields(A& a, ListenSpec& v) {
  a(v.name)(v.family)(v.address)(v.port)(v.mode)(v.backlog)(v.http)(v.blocking)(v.inherit)(v.setting)(v.uid)(v.gid);
}
template <class A> void fields(A& a, PassedSocket& v) { a(v.name)(v.listener)(v.alone); }
template <class A> void fields(A& a, SpawnSpec& v) {
  a(v.key)(v.program)(v.argv)(v.environment)(v.directory)(v.uid)(v.gid)(v.groups)(v.file_mode_mask)(v.nice)(v.limits);
  a(v.no_new_privileges)(v.channel)(v.standard_output)(v.standard_error)(v.transient)(v.stop)(v.notify)(v.group_limits);
  a(v.sockets)(v.capabilities)(v.private_tmp)(v.io_priority);
}

constexpr auto last_of(ChannelKind) { return ChannelKind::socket; }
constexpr auto last_of(OutputMode) { return OutputMode::merge; }
constexpr auto last_of(ChannelEnd) { return ChannelEnd::channel; }
constexpr auto last_of(SignalTarget) { return SignalTarget::group; }
constexpr auto last_of(ListenFamily) { return ListenFamily::udp; }

}  // namespace tenon::keeper::wire
