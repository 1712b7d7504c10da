// The lines of processes' logs as the control API streams them: the last ones, or those behind a time or a position,
// then what follows.
#pragma once

#include <memory>
#include <vector>

#include "common/result.hpp"
#include "control/host_interface.hpp"
#include "runtime/log_capture.hpp"

namespace tenon::app {

// As of HostInterface::logs. Errors as of LogCapture::follow. [loop]
Result<control::StreamHandle> open_logs(runtime::LogCapture& logs, const std::vector<runtime::ProcessId>& ids,
                                        const control::LogRequest& request, std::shared_ptr<control::StreamSink> sink);

}  // namespace tenon::app
