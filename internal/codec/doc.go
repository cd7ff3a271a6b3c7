// Package codec turns access units into JPEGs. It sees bytes alone: no stream,
// no rule, no store.
//
// Decoders meet whatever a publisher sends, so they run in child processes of
// the same program, the workers, each fed over a socket pair:
//
//	Pool.Shoot ─► one idle worker: decode ─► scale ─► colours ─► JPEG ─► Picture
//
// A worker that crashes, hangs past its deadline or answers nonsense is killed
// and replaced, and its shot is tried once more on another worker. Package av
// below holds the calls into C.
package codec
