package config

import (
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/stillcast/stillcast"
)

// Listen is the addresses that Stillcast listens on, as HOST:PORT. An empty host
// means all addresses of the machine; port 0 lets the system choose one. Where
// publishers are accepted there may be several, with commas between them, and
// unix sockets, as unix:/PATH.
type Listen struct {
	RTMP  string `yaml:"rtmp"`  // publishers
	RTMPS string `yaml:"rtmps"` // publishers over TLS; "" for none
	HTTP  string `yaml:"http"`  // local pictures, the API and the console
	Ops   string `yaml:"ops"`   // metrics, health, profiles: for the operator only
}

// DefaultListen returns the settings of a configuration that says nothing.
func DefaultListen() Listen {
	return Listen{RTMP: "127.0.0.1:1935", HTTP: "127.0.0.1:8080", Ops: "127.0.0.1:8081"}
}

// unixPrefix begins the address of a unix socket.
const unixPrefix = "unix:"

// listening is one address with the setting that it is of.
type listening struct{ field, value string }

// Validate reports the first address that is malformed or taken by another one.
func (l Listen) Validate() error {
	var all []listening
	for _, list := range []listening{{"rtmp", l.RTMP}, {"rtmps", l.RTMPS}} {
		if list.field == "rtmps" && list.value == "" {
			continue
		}
		for value := range strings.SplitSeq(list.value, ",") {
			all = append(all, listening{list.field, strings.TrimSpace(value)})
		}
	}
	all = append(all, listening{"http", l.HTTP}, listening{"ops", l.Ops})
	for i, a := range all {
		if err := a.validate(); err != nil {
			return err
		}
		for _, b := range all[:i] {
			if collide(a.value, b.value) {
				return stillcast.Errorf(stillcast.CodeInvalid, a.field, "is %s, which %s listens on already: %s", a.value, b.field, b.value)
			}
		}
	}
	return nil
}

func (l listening) validate() error {
	publishers := strings.HasPrefix(l.field, "rtmp")
	if path, ok := strings.CutPrefix(l.value, unixPrefix); ok && publishers {
		if path == "" {
			return stillcast.Errorf(stillcast.CodeInvalid, l.field, "%q has no path; expected unix:/PATH", l.value)
		}
		return nil
	}
	_, port, err := net.SplitHostPort(l.value)
	if err != nil {
		also := ""
		if publishers {
			also = ", or unix:/PATH"
		}
		return stillcast.Errorf(stillcast.CodeInvalid, l.field, "%q is no address; expected HOST:PORT, such as 127.0.0.1:8080 or :8080%s", l.value, also)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return stillcast.Errorf(stillcast.CodeInvalid, l.field, "%q has the port %q; allowed are 0 to 65535", l.value, port)
	}
	return nil
}

// collide tells whether two valid addresses cannot be listened on at once. Names
// are not looked up.
func collide(a, b string) bool {
	if strings.HasPrefix(a, unixPrefix) || strings.HasPrefix(b, unixPrefix) {
		return a == b
	}
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
