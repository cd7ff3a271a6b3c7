// Package codec turns access units into pictures, JPEG or WebP, of all the sizes
// that are wanted of one frame. It sees bytes alone: no stream, no rule, no store.
//
// Decoders meet whatever a publisher sends, so they run in child processes of
// the same program, the workers, each fed over a socket pair, in blocking reads
// and writes of its one thread of work. A pipe tells it the end of the pool:
//
//	Pool.Shoot ─► one idle worker: look through ─► decode ─► measure ─► scale ─► colours ─► encode ─► Result
//
// A worker that crashes, hangs past its deadline or answers nonsense is killed
// and replaced, and its shot is tried once more on another worker. What such a
// worker could do until then is bounded by the kernel:
//
//   - Landlock: no files, no TCP, nobody else's sockets and signals;
//   - seccomp: no call but those that decoding makes. Opening a file fails, all else ends the process (SIGSYS). That
//     leaves no network, no program, no process beside it, no new code, no signal to others;
//   - memory: RLIMIT_AS from [Config].MemoryLimit, and a worker that keeps more than MaxRSS is replaced;
//   - processor time: RLIMIT_CPU for its whole life, hard, from [Config].CPULimit. It needs no privilege, holds between
//     shots and after the death of the parent too, and cannot be raised from inside. One shot is bounded by the parent's deadline;
//   - file descriptors, size of files, core dumps: none.
//
// The parent reads a worker's usage from /proc and believes no number that it
// says: sizes are computed again by the same functions, headers are read, lengths and
// ranges are checked. Package av below holds the calls into C.
package codec
