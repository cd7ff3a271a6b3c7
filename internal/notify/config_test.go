package notify

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stillcast/stillcast"
)

func TestConfigValidate(t *testing.T) {
	if err := DefaultConfig().Validate(); err != nil {
		t.Error(err)
	}
	tests := map[string]struct {
		change func(*Config)
		field  string
		says   string
	}{
		"no attempts":        {func(c *Config) { c.Retry.Attempts = 0 }, "retry.attempts", "is 0; allowed are 1 to 100"},
		"many attempts":      {func(c *Config) { c.Retry.Attempts = 101 }, "retry.attempts", "101"},
		"no interval":        {func(c *Config) { c.Retry.Interval = 0 }, "retry.interval", "allowed are 10ms to 24h0m0s"},
		"negative interval":  {func(c *Config) { c.Retry.Interval = -time.Second }, "retry.interval", "-1s"},
		"no timeout":         {func(c *Config) { c.Retry.Timeout = 0 }, "retry.timeout", "allowed are 100ms to 5m0s"},
		"long timeout":       {func(c *Config) { c.Retry.Timeout = time.Hour }, "retry.timeout", "1h0m0s"},
		"no slots":           {func(c *Config) { c.Slots = 0 }, "slots", "allowed are 1 to 65536"},
		"no own slots":       {func(c *Config) { c.DestinationSlots = 0 }, "destination_slots", "allowed are 1 to 256, the value of slots"},
		"more own slots":     {func(c *Config) { c.DestinationSlots = 257 }, "destination_slots", "is 257"},
		"empty network":      {func(c *Config) { c.AllowNetworks = make([]netip.Prefix, 1) }, "allow_networks", "empty network"},
		"address in network": {func(c *Config) { c.AllowNetworks = prefixes("10.1.2.3/8") }, "allow_networks", "the network is 10.0.0.0/8"},
		"mapped network":     {func(c *Config) { c.AllowNetworks = prefixes("::ffff:10.0.0.0/104") }, "allow_networks", "write the IPv4 network"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := DefaultConfig()
			tt.change(&c)
			err := c.Validate()
			var e *stillcast.Error
			if !errors.As(err, &e) || e.Field != tt.field || e.Code != stillcast.CodeInvalid || !strings.Contains(e.Message, tt.says) {
				t.Errorf("error %v; want %s: …%s…", err, tt.field, tt.says)
			}
		})
	}
}

func TestNewRefuses(t *testing.T) {
	r := newRig(t, nil)
	r.stopNow(t)
	bad := r.options
	bad.Config.Slots = 0
	if _, err := New(bad); err == nil || !strings.Contains(err.Error(), "slots") {
		t.Errorf("error %v", err)
	}
	bad = r.options
	bad.Ledger = nil
	if _, err := New(bad); err == nil {
		t.Error("made without a ledger")
	}
	if _, err := New(r.options); err == nil { // the metrics are there already
		t.Error("registered twice")
	}
}
