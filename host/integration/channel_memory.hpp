// The octets of one worker's channel that are on their way, in memory that outlives the engine.
//
// The model. Input that was read and not yet consumed, and output that was encoded and not yet written, lie in a memfd
// that the keeper holds too. Each side is a flat area with a begin and an end, published together in one store, so a
// successor sees either the state before a step or the one after it. Around each read and write a flag says that its
// fate is open: an engine that finds such a flag cannot know how far the kernel got, and restarts that one worker.
//
// Moving what is left to the front of an area happens only when source and destination do not overlap, because an
// engine that dies in the middle must leave the old octets whole.
//
// Sparse: pages exist once they were touched, so a quiet channel costs one page.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "common/result.hpp"
#include "common/unique_fd.hpp"

namespace tenon::integration {

class ChannelMemory {
 public:
  // Room for frames of up to max_frame octets: twice that and a batch on the way in, once and a batch on the way out.
  static Result<ChannelMemory> make(std::size_t max_frame);
  // What an earlier engine left. errc::bad_data if it was laid out for another max_frame or by another version, or if
  // an end lies before its begin: then nothing in it can be trusted.
  static Result<ChannelMemory> adopt(unique_fd memory, std::size_t max_frame);

  ChannelMemory(ChannelMemory&&) noexcept;
  ChannelMemory& operator=(ChannelMemory&&) noexcept;
  ~ChannelMemory();

  int fd() const noexcept { return fd_.get(); }

  // One direction: octets [begin, end) of an area are valid.
  class Area {
   public:
    char* data() const noexcept { return data_; }
    std::size_t capacity() const noexcept { return capacity_; }
    std::size_t begin() const noexcept { return static_cast<std::uint32_t>(bounds_->load(std::memory_order_relaxed)); }
    std::size_t end() const noexcept { return bounds_->load(std::memory_order_relaxed) >> 32; }
    std::size_t size() const noexcept { return end() - begin(); }
    std::size_t room() const noexcept { return capacity_ - end(); }  // behind the end
    // Both at once; the octets between them must be in place already.
    void publish(std::size_t begin, std::size_t end) noexcept {
      bounds_->store(begin | static_cast<std::uint64_t>(end) << 32, std::memory_order_release);
    }
    // Moves what is left to the front if that is safe; afterwards room() is what there is.
    void compact() noexcept;
    // Around a system call that moves octets.
    void set_uncertain(bool uncertain) noexcept {
      uncertain_->store(uncertain ? 1 : 0, std::memory_order_release);
    }
    bool uncertain() const noexcept { return uncertain_->load(std::memory_order_acquire) != 0; }

   private:
    friend class ChannelMemory;
    char* data_ = nullptr;
    std::size_t capacity_ = 0;
    std::atomic<std::uint64_t>* bounds_ = nullptr;
    std::atomic<std::uint32_t>* uncertain_ = nullptr;
  };
  Area& input() noexcept { return input_; }
  Area& output() noexcept { return output_; }

  // What the reader of frames has to remember between batches: octets of an over-long frame still to be skipped, or
  // that the rest of an over-long line is.
  std::uint64_t skip() const noexcept;
  void set_skip(std::uint64_t octets) noexcept;

  // Gives the pages of areas that are empty back, but for the first kKept octets of each.
  void trim() noexcept;

  static constexpr std::size_t kBatch = 256 * 1024;
  static constexpr std::size_t kKept = 2 * kBatch;

 private:
  struct Header;
  ChannelMemory() = default;
  Status map(std::size_t max_frame);
  static std::size_t input_capacity(std::size_t max_frame) noexcept { return 2 * max_frame + kBatch; }
  static std::size_t output_capacity(std::size_t max_frame) noexcept { return 2 * max_frame + 2 * kBatch; }

  unique_fd fd_;
  Header* header_ = nullptr;
  std::size_t mapped_ = 0;
  Area input_, output_;
};

}  // namespace tenon::integration
