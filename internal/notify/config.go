package notify

import (
	"net/netip"
	"time"

	"github.com/stillcast/stillcast"
)

// Config are the settings of callbacks.
type Config struct {
	// AllowNetworks are the private networks that callbacks may reach, such as
	// 127.0.0.0/8. Link-local addresses and those of clouds' metadata services
	// need a network of their own here; 0.0.0.0/0 does not let them through.
	AllowNetworks []netip.Prefix `yaml:"allow_networks"`
	// Retry is for the profile tencent, except that PushRetry says how often and
	// when events of pushes are tried. Its Timeout is for all.
	Retry     Retry     `yaml:"retry"`
	PushRetry PushRetry `yaml:"push_retry"`
	// Slots is how many requests may be under way at the same time.
	Slots int `yaml:"slots"`
	// DestinationSlots is how many of them one destination may have.
	DestinationSlots int `yaml:"destination_slots"`
}

// Retry is how often and when a delivery is tried.
type Retry struct {
	// Attempts is the number of tries in all; after the last one the delivery is
	// parked.
	Attempts int `yaml:"attempts"`
	// Interval is the time from the end of a failed try to the next one.
	Interval time.Duration `yaml:"interval"`
	// Timeout is the longest that a try may take, from name resolution to the
	// end of the answer.
	Timeout time.Duration `yaml:"timeout"`
}

// PushRetry is Retry for the events of pushes (0, 1, 321), which Tencent Cloud
// CSS tries more often than those of shots.
type PushRetry struct {
	Attempts int           `yaml:"attempts"`
	Interval time.Duration `yaml:"interval"`
}

// Limits of the settings.
const (
	maxAttempts = 100
	minInterval = 10 * time.Millisecond
	maxInterval = 24 * time.Hour
	minTimeout  = 100 * time.Millisecond
	maxTimeout  = 5 * time.Minute
	maxSlots    = 65536
)

// DefaultConfig returns the defaults: the retries of Tencent Cloud CSS ("How to
// Receive Event Notification": screenshots five times, two minutes apart; pushes
// twelve times, one minute apart), and no private network.
func DefaultConfig() Config {
	return Config{
		AllowNetworks:    []netip.Prefix{},
		Retry:            Retry{Attempts: 6, Interval: 2 * time.Minute, Timeout: 20 * time.Second},
		PushRetry:        PushRetry{Attempts: 13, Interval: time.Minute},
		Slots:            256,
		DestinationSlots: 4,
	}
}

// Validate reports the first setting that is not allowed, as [stillcast.Error].
func (c Config) Validate() error {
	for _, p := range c.AllowNetworks {
		if err := validateNetwork(p); err != nil {
			return err
		}
	}
	if err := c.Retry.Validate(); err != nil {
		return stillcast.Within("retry", err)
	}
	if err := validateFlat(c.PushRetry.Attempts, c.PushRetry.Interval); err != nil {
		return stillcast.Within("push_retry", err)
	}
	switch {
	case c.Slots < 1 || c.Slots > maxSlots:
		return stillcast.Errorf(stillcast.CodeInvalid, "slots", "is %d; allowed are 1 to %d", c.Slots, maxSlots)
	case c.DestinationSlots < 1 || c.DestinationSlots > c.Slots:
		return stillcast.Errorf(stillcast.CodeInvalid, "destination_slots",
			"is %d; allowed are 1 to %d, the value of slots", c.DestinationSlots, c.Slots)
	}
	return nil
}

func validateNetwork(p netip.Prefix) error {
	const field = "allow_networks"
	switch {
	case !p.IsValid():
		return stillcast.Errorf(stillcast.CodeInvalid, field, "holds an empty network; write it as 127.0.0.0/8 or fd00::/8")
	case p.Addr().Is4In6():
		return stillcast.Errorf(stillcast.CodeInvalid, field, "%s is an IPv4 network written as IPv6; write the IPv4 network", p)
	case p != p.Masked():
		return stillcast.Errorf(stillcast.CodeInvalid, field, "%s is an address within a network; the network is %s", p, p.Masked())
	}
	return nil
}

// Validate reports the first setting that is not allowed, as [stillcast.Error].
func (r Retry) Validate() error {
	if err := validateFlat(r.Attempts, r.Interval); err != nil {
		return err
	}
	if r.Timeout < minTimeout || r.Timeout > maxTimeout {
		return stillcast.Errorf(stillcast.CodeInvalid, "timeout", "is %s; allowed are %s to %s", r.Timeout, minTimeout, maxTimeout)
	}
	return nil
}

func validateFlat(attempts int, interval time.Duration) error {
	if attempts < 1 || attempts > maxAttempts {
		return stillcast.Errorf(stillcast.CodeInvalid, "attempts", "is %d; allowed are 1 to %d", attempts, maxAttempts)
	}
	if interval < minInterval || interval > maxInterval {
		return stillcast.Errorf(stillcast.CodeInvalid, "interval", "is %s; allowed are %s to %s", interval, minInterval, maxInterval)
	}
	return nil
}
