package codec

import (
	"runtime"
	"time"

	"github.com/stillcast/stillcast"
)

// Limits of the settings.
const (
	MaxWorkers     = 1024
	MinTimeout     = 100 * time.Millisecond
	MinMemoryLimit = 256 << 20 // enough for streams of 1080p
	MinCPULimit    = 10 * time.Second
	MinMaxRSS      = 64 << 20 // what a worker has after its first pictures of 1080p
)

// MaxUnits is how many access units one request may have.
const MaxUnits = maxUnits

// Config is the settings of the workers.
type Config struct {
	// Workers is the number of worker processes, and so of shots that are made
	// at once; 0 is one for each CPU.
	Workers int `yaml:"workers"`
	// Timeout is how long one shot may take in a worker before that is killed.
	Timeout time.Duration `yaml:"timeout"`
	// MaxPixels is the largest picture, both of the stream before cropping and of what is made of it.
	MaxPixels int `yaml:"max_pixels"`
	// MaxUnitBytes is how large the access units of one shot may be together.
	MaxUnitBytes int `yaml:"max_unit_bytes"`
	// MemoryLimit is how many bytes a worker may take beyond what it has at its
	// start (RLIMIT_AS); 0 is no limit. The default is enough for one picture of the default
	// MaxPixels in any format.
	MemoryLimit int64 `yaml:"memory_limit"`
	// CPULimit is the processor time that a worker gets from the kernel in its
	// whole life (RLIMIT_CPU); 0 is no limit. A worker that behaves is replaced before it has used it up.
	CPULimit time.Duration `yaml:"cpu_limit"`
	// MaxRSS is how many bytes of memory a worker may hold after a shot before it is replaced; 0 is no limit.
	MaxRSS int64 `yaml:"max_rss"`
	// MaxShots is the number of shots after which a worker is replaced by a fresh one.
	MaxShots int `yaml:"max_shots"`
	// AllowUnsandboxed lets workers run where the kernel cannot take files,
	// network and programs from them.
	AllowUnsandboxed bool `yaml:"allow_unsandboxed"`
}

// DefaultConfig returns the settings of a configuration that says nothing.
func DefaultConfig() Config {
	return Config{
		Timeout:      5 * time.Second,
		MaxPixels:    4096 * 2304,
		MaxUnitBytes: 8 << 20,
		MemoryLimit:  1 << 30,
		CPULimit:     time.Minute,
		MaxRSS:       512 << 20,
		MaxShots:     10000,
	}
}

// Validate reports the first setting that is not allowed.
func (c Config) Validate() error {
	if c.Workers < 0 || c.Workers > MaxWorkers {
		return stillcast.Errorf(stillcast.CodeInvalid, "workers", "is %d; allowed are 1 to %d, or 0 for one for each CPU", c.Workers, MaxWorkers)
	}
	if c.Timeout < MinTimeout {
		return stillcast.Errorf(stillcast.CodeInvalid, "timeout", "is %s; at least %s is needed", c.Timeout, MinTimeout)
	}
	if c.MemoryLimit != 0 && c.MemoryLimit < MinMemoryLimit {
		return stillcast.Errorf(stillcast.CodeInvalid, "memory_limit", "is %d bytes; at least %d are needed, or 0 for no limit", c.MemoryLimit, int64(MinMemoryLimit))
	}
	if least := max(MinCPULimit, 2*c.Timeout); c.CPULimit != 0 && c.CPULimit < least {
		return stillcast.Errorf(stillcast.CodeInvalid, "cpu_limit", "is %s; at least %s and twice the timeout are needed, here %s, or 0 for no limit", c.CPULimit, MinCPULimit, least)
	}
	if c.MaxRSS != 0 && c.MaxRSS < MinMaxRSS {
		return stillcast.Errorf(stillcast.CodeInvalid, "max_rss", "is %d bytes; at least %d are needed, or 0 for no limit", c.MaxRSS, int64(MinMaxRSS))
	}
	ranges := []struct {
		field         string
		value, lo, hi int
	}{
		{"max_pixels", c.MaxPixels, 16 * 16, 16384 * 16384},
		{"max_unit_bytes", c.MaxUnitBytes, 64 << 10, 256 << 20},
		{"max_shots", c.MaxShots, 1, 1 << 30},
	}
	for _, r := range ranges {
		if r.value < r.lo || r.value > r.hi {
			return stillcast.Errorf(stillcast.CodeInvalid, r.field, "is %d; allowed are %d to %d", r.value, r.lo, r.hi)
		}
	}
	return nil
}

func (c Config) workers() int {
	if c.Workers == 0 {
		return min(runtime.NumCPU(), MaxWorkers)
	}
	return c.Workers
}
