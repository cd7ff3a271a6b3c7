package sqlite

import (
	"strings"

	"github.com/stillcast/stillcast"
)

// Config is the settings of the SQLite state.
type Config struct {
	// Path is the database file. Its folder is the data folder, which this
	// process locks for itself; both are made when they are missing.
	Path string `yaml:"-"`
	// Queue is how many changes may wait for the writer; 0 means the default.
	Queue int `yaml:"queue"`
	// Readers is how many connections read beside the writer; 0 means the
	// default.
	Readers int `yaml:"readers"`
}

// Limits of the settings.
const (
	maxQueue   = 1 << 16
	maxReaders = 64
)

// DefaultConfig returns the settings of a configuration that says nothing. Path
// is left to the caller.
func DefaultConfig() Config { return Config{Queue: 1024, Readers: 4} }

// Validate reports the first setting that is not allowed.
func (c Config) Validate() error {
	if strings.ContainsRune(c.Path, 0) {
		return stillcast.Errorf(stillcast.CodeInvalid, "path", "%q holds a NUL byte", c.Path)
	}
	if c.Queue < 0 || c.Queue > maxQueue {
		return stillcast.Errorf(stillcast.CodeInvalid, "queue", "is %d; allowed are 0 (the default) to %d", c.Queue, maxQueue)
	}
	if c.Readers < 0 || c.Readers > maxReaders {
		return stillcast.Errorf(stillcast.CodeInvalid, "readers", "is %d; allowed are 0 (the default) to %d", c.Readers, maxReaders)
	}
	return nil
}

// withDefaults returns c with zero replaced by the default.
func (c Config) withDefaults() Config {
	d := DefaultConfig()
	if c.Queue == 0 {
		c.Queue = d.Queue
	}
	if c.Readers == 0 {
		c.Readers = d.Readers
	}
	return c
}
