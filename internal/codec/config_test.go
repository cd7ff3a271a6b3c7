package codec

import (
	"errors"
	"testing"
	"time"

	"github.com/stillcast/stillcast"
)

func TestConfig(t *testing.T) {
	t.Parallel()
	if err := DefaultConfig().Validate(); err != nil {
		t.Fatalf("default: %v", err)
	}
	cases := []struct {
		field  string
		change func(*Config)
	}{
		{"workers", func(c *Config) { c.Workers = -1 }},
		{"workers", func(c *Config) { c.Workers = MaxWorkers + 1 }},
		{"timeout", func(c *Config) { c.Timeout = 0 }},
		{"timeout", func(c *Config) { c.Timeout = time.Millisecond }},
		{"max_pixels", func(c *Config) { c.MaxPixels = 0 }},
		{"max_pixels", func(c *Config) { c.MaxPixels = 1 << 40 }},
		{"max_unit_bytes", func(c *Config) { c.MaxUnitBytes = 0 }},
		{"max_unit_bytes", func(c *Config) { c.MaxUnitBytes = 1 << 30 }},
		{"memory_limit", func(c *Config) { c.MemoryLimit = -1 }},
		{"memory_limit", func(c *Config) { c.MemoryLimit = 64 << 20 }},
		{"max_shots", func(c *Config) { c.MaxShots = 0 }},
		{"cpu_limit", func(c *Config) { c.CPULimit = -1 }},
		{"cpu_limit", func(c *Config) { c.CPULimit = 9 * time.Second }},
		{"cpu_limit", func(c *Config) { c.Timeout, c.CPULimit = 10*time.Second, 15*time.Second }},
		{"max_rss", func(c *Config) { c.MaxRSS = -1 }},
		{"max_rss", func(c *Config) { c.MaxRSS = 1 << 20 }},
	}
	for _, c := range cases {
		config := DefaultConfig()
		c.change(&config)
		var e *stillcast.Error
		if err := config.Validate(); !errors.As(err, &e) || e.Field != c.field || e.Code != stillcast.CodeInvalid {
			t.Errorf("%s: error is %v", c.field, err)
		}
	}
}

func TestBackoff(t *testing.T) {
	t.Parallel()
	for failures, want := range map[int]time.Duration{1: minBackoff, 2: 2 * minBackoff, 4: 8 * minBackoff, 8: maxBackoff, 1000: maxBackoff} {
		if got := backoff(failures); got != want {
			t.Errorf("after %d failures: %s, wanted %s", failures, got, want)
		}
	}
}
