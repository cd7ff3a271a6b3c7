package ingest

import (
	"time"

	"github.com/stillcast/stillcast"
)

// Config is what bounds pushes over any protocol.
type Config struct {
	// MaxPushesPerDomain is how many pushes of one registered domain may be live;
	// 0 for no limit.
	MaxPushesPerDomain int `yaml:"max_pushes_per_domain"`
	// AuthSlowdown is how long the answer to a push with a bad authorisation is
	// held back at most; 0 never holds it back. See [Refusal].
	AuthSlowdown time.Duration `yaml:"auth_slowdown"`
}

// DefaultConfig returns the settings of a configuration that says nothing.
func DefaultConfig() Config { return Config{AuthSlowdown: 5 * time.Second} }

const maxSlowdown = time.Minute

// Validate reports the first setting that is not allowed.
func (c Config) Validate() error {
	switch {
	case c.MaxPushesPerDomain < 0:
		return stillcast.Errorf(stillcast.CodeInvalid, "max_pushes_per_domain", "is %d; at least 1 is needed, or 0 for no limit", c.MaxPushesPerDomain)
	case c.AuthSlowdown < 0 || c.AuthSlowdown > maxSlowdown:
		return stillcast.Errorf(stillcast.CodeInvalid, "auth_slowdown", "is %s; allowed are 0s to %s", c.AuthSlowdown, maxSlowdown)
	}
	return nil
}
