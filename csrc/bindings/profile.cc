// Profile: where the time of a call goes. mobilebert_rt/profile.py is the public API on top of it.
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/thread_pool.h"
#include "bindings/model.h"

namespace mbrt::bindings {
namespace py = pybind11;
using namespace py::literals;

namespace {

std::unique_ptr<Profile> make_profile(const Model& model, std::size_t threads) {
  if (threads < 1 || threads > kMaxThreads) {
    throw InputError("num_threads: " + std::to_string(threads) + "; expected 1 to " +
                     std::to_string(kMaxThreads) + ".");
  }
  return std::make_unique<Profile>(model.encoder->config().num_layers, threads);
}

// [threads][stages][operations][5]: the fields of Total.
py::array_t<std::uint64_t> totals_of(const Profile& profile) {
  profile.check_idle();
  py::array_t<std::uint64_t> result(
      std::vector<std::size_t>{profile.threads(), profile.stages(), kOperations, 5});
  std::uint64_t* to = result.mutable_data();
  for (std::size_t thread = 0; thread < profile.threads(); ++thread) {
    for (std::size_t stage = 0; stage < profile.stages(); ++stage) {
      for (std::size_t operation = 0; operation < kOperations; ++operation, to += 5) {
        const Total& total = profile.track(thread).total(stage, operation);
        to[0] = total.calls;
        to[1] = total.nanoseconds;
        to[2] = total.macs_s8;
        to[3] = total.macs_f32;
        to[4] = total.weight_bytes;
      }
    }
  }
  return result;
}

// [events][5] of one thread: begin, end, stage, operation, rows.
py::array_t<std::uint64_t> events_of(const Profile& profile, std::size_t thread) {
  profile.check_idle();
  if (thread >= profile.threads())
    throw InputError("thread: " + std::to_string(thread) + "; the profile has " +
                     std::to_string(profile.threads()) + " threads.");
  const Track& track = profile.track(thread);
  py::array_t<std::uint64_t> result(std::vector<std::size_t>{track.event_count(), 5});
  std::uint64_t* to = result.mutable_data();
  for (std::size_t i = 0; i < track.event_count(); ++i, to += 5) {
    const Event& event = track.events()[i];
    to[0] = event.begin;
    to[1] = event.end;
    to[2] = event.spot.stage;
    to[3] = static_cast<std::uint64_t>(event.spot.operation);
    to[4] = event.rows;
  }
  return result;
}

std::size_t dropped_of(const Profile& profile) {
  profile.check_idle();
  std::size_t dropped = 0;
  for (std::size_t i = 0; i < profile.threads(); ++i) dropped += profile.track(i).dropped_events();
  return dropped;
}

std::vector<std::string> operation_names() {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < kOperations; ++i) names.push_back(operation_name(i));
  return names;
}

}  // namespace

void bind_profile(py::module_& module) {
  py::class_<Profile>(module, "Profile", "Room for the times of one call; each call overwrites it.")
      .def(py::init(&make_profile), "model"_a, "num_threads"_a = 1)
      .def("totals", &totals_of)
      .def("events", &events_of, "thread"_a)
      .def_property_readonly("nanoseconds",
                             [](const Profile& profile) {
                               profile.check_idle();
                               return profile.nanoseconds();
                             })
      .def_property_readonly("dropped_events", &dropped_of);
  module.def("operation_names", &operation_names, "Of the third axis of Profile.totals().");
}

}  // namespace mbrt::bindings
