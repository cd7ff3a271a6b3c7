package capture

import "github.com/stillcast/stillcast"

// Config is the capture's part of the configuration file.
type Config struct {
	// Queue is how many shots may wait to be decoded, over all streams. What is
	// more is shed.
	Queue int `yaml:"queue"`
	// QueueBytes bounds their key frames in bytes.
	QueueBytes int64 `yaml:"queue_bytes"`
	// GOPBytes is how many bytes of pictures one stream keeps for exact shots:
	// all since its last start point. A stream that needs more falls back to key
	// frames until the next one.
	GOPBytes int64 `yaml:"gop_bytes"`
	// GOPTotalBytes bounds them over all streams.
	GOPTotalBytes int64 `yaml:"gop_total_bytes"`
	// ExactShare is the fraction of the decoders' time, 0 to 1, that exact shots
	// get. What would be more falls back to key frames.
	ExactShare float64 `yaml:"exact_share"`
}

// Least values of the settings in bytes: room for one large key frame.
const (
	minQueueBytes = 16 << 20
	minGOPBytes   = 64 << 10
)

// DefaultConfig returns the defaults.
func DefaultConfig() Config {
	return Config{Queue: 1024, QueueBytes: 256 << 20, GOPBytes: 16 << 20, GOPTotalBytes: 512 << 20, ExactShare: 0.5}
}

// Validate reports the first setting that is not allowed.
func (c Config) Validate() error {
	if c.Queue < 1 || c.Queue > 1<<20 {
		return stillcast.Errorf(stillcast.CodeInvalid, "queue", "is %d; allowed are 1 to %d", c.Queue, 1<<20)
	}
	if c.QueueBytes < minQueueBytes {
		return stillcast.Errorf(stillcast.CodeInvalid, "queue_bytes", "is %d; at least %d is allowed, room for one large key frame", c.QueueBytes, minQueueBytes)
	}
	if c.GOPBytes < minGOPBytes {
		return stillcast.Errorf(stillcast.CodeInvalid, "gop_bytes", "is %d; at least %d is allowed", c.GOPBytes, minGOPBytes)
	}
	if c.GOPTotalBytes < c.GOPBytes {
		return stillcast.Errorf(stillcast.CodeInvalid, "gop_total_bytes", "is %d; at least gop_bytes (%d) is allowed", c.GOPTotalBytes, c.GOPBytes)
	}
	if !(c.ExactShare >= 0 && c.ExactShare <= 1) { // NaN is neither
		return stillcast.Errorf(stillcast.CodeInvalid, "exact_share", "is %v; allowed are 0 to 1", c.ExactShare)
	}
	return nil
}
