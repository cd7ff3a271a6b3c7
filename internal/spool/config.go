package spool

import (
	"time"

	"github.com/stillcast/stillcast"
)

// Config is the upload's part of the configuration file. It goes for each store.
type Config struct {
	Concurrency int           `yaml:"concurrency"` // uploads at once
	Timeout     time.Duration `yaml:"timeout"`     // of one try
	Breaker     BreakerConfig `yaml:"breaker"`
}

// BreakerConfig says when a store that does not work is left alone.
type BreakerConfig struct {
	// Failures is after how many tries in a row that the store did not answer,
	// could not do or asked to slow down it is only tried with one picture now
	// and then.
	Failures int `yaml:"failures"`
	// MaxPause is the longest time between two of those tries.
	MaxPause time.Duration `yaml:"max_pause"`
}

// DefaultConfig returns the defaults.
func DefaultConfig() Config {
	return Config{Concurrency: 4, Timeout: 30 * time.Second, Breaker: BreakerConfig{Failures: 5, MaxPause: 30 * time.Second}}
}

// Validate reports the first setting that is not allowed.
func (c Config) Validate() error {
	if c.Concurrency < 1 || c.Concurrency > 1024 {
		return stillcast.Errorf(stillcast.CodeInvalid, "concurrency", "is %d; allowed are 1 to 1024", c.Concurrency)
	}
	if c.Timeout < time.Second || c.Timeout > time.Hour {
		return stillcast.Errorf(stillcast.CodeInvalid, "timeout", "is %s; allowed are 1s to 1h", c.Timeout)
	}
	if c.Breaker.Failures < 1 || c.Breaker.Failures > 1000 {
		return stillcast.Errorf(stillcast.CodeInvalid, "breaker.failures", "is %d; allowed are 1 to 1000", c.Breaker.Failures)
	}
	if c.Breaker.MaxPause < time.Second || c.Breaker.MaxPause > time.Hour {
		return stillcast.Errorf(stillcast.CodeInvalid, "breaker.max_pause", "is %s; allowed are 1s to 1h", c.Breaker.MaxPause)
	}
	return nil
}
