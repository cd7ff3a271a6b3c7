package config

import (
	"net"
	"net/netip"
	"strconv"

	"github.com/stillcast/stillcast"
)

// Listen is the addresses that Stillcast listens on, as HOST:PORT. An empty host
// means all addresses of the machine; port 0 lets the system choose one.
type Listen struct {
	RTMP string `yaml:"rtmp"` // publishers
	HTTP string `yaml:"http"` // local pictures and the API
	Ops  string `yaml:"ops"`  // metrics, health, profiles: for the operator only
}

// DefaultListen returns the settings of a configuration that says nothing.
func DefaultListen() Listen {
	return Listen{RTMP: "127.0.0.1:1935", HTTP: "127.0.0.1:8080", Ops: "127.0.0.1:8081"}
}

// Validate reports the first address that is malformed or taken by another one.
func (l Listen) Validate() error {
	addresses := []struct{ field, value string }{{"rtmp", l.RTMP}, {"http", l.HTTP}, {"ops", l.Ops}}
	for i, a := range addresses {
		if err := validateAddress(a.field, a.value); err != nil {
			return err
		}
		for _, b := range addresses[:i] {
			if collide(a.value, b.value) {
				return stillcast.Errorf(stillcast.CodeInvalid, a.field, "is %s, which %s listens on already: %s", a.value, b.field, b.value)
			}
		}
	}
	return nil
}

func validateAddress(field, value string) error {
	_, port, err := net.SplitHostPort(value)
	if err != nil {
		return stillcast.Errorf(stillcast.CodeInvalid, field, "%q is no address; expected HOST:PORT, such as 127.0.0.1:8080 or :8080", value)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return stillcast.Errorf(stillcast.CodeInvalid, field, "%q has the port %q; allowed are 0 to 65535", value, port)
	}
	return nil
}

// collide tells whether two valid addresses cannot be listened on at once. Names
// are not looked up.
func collide(a, b string) bool {
	hostA, portA, _ := net.SplitHostPort(a)
	hostB, portB, _ := net.SplitHostPort(b)
	if portA != portB || portA == "0" {
		return false
	}
	return hostA == hostB || isEverything(hostA) || isEverything(hostB)
}

func isEverything(host string) bool {
	if host == "" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsUnspecified()
}
