// A file mapped read-only into memory: processes that map the same file share one copy.
//
// While it is mapped, the file may be deleted or replaced by a rename, but not changed in place:
// writing to it changes checked bytes, and after a truncation the next access to a lost page is a
// bus error (SIGBUS), which a library cannot turn into an exception. If the file may change, read it
// into memory instead.
//
// Measured: for a 25 MB file in the page cache, mapping and reading it once takes the same time
// with MAP_SHARED or MAP_PRIVATE, MAP_POPULATE or page by page (min of 25, within 4 %); reading it
// into a buffer takes three times as long. WILLNEED lets the disk read ahead while the first pages of a
// cold file are being checked.
#ifndef MBRT_BASE_MAPPED_FILE_H_
#define MBRT_BASE_MAPPED_FILE_H_

#include <cstddef>
#include <string>

namespace mbrt {

class MappedFile {
 public:
  // InputError when there is no such regular file or it may not be read; the caller adds the path.
  // Links are followed.
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  // Null when the file is empty.
  const std::byte* data() const { return static_cast<const std::byte*>(data_); }
  std::size_t size() const { return size_; }

 private:
  void* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace mbrt

#endif  // MBRT_BASE_MAPPED_FILE_H_
