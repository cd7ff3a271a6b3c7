package notify

import (
	"net/netip"
	"testing"
)

func prefixes(list ...string) []netip.Prefix {
	var out []netip.Prefix
	for _, p := range list {
		out = append(out, netip.MustParsePrefix(p))
	}
	return out
}

func TestGuardRefuses(t *testing.T) {
	g := newGuard(nil)
	for _, addr := range []string{
		"0.0.0.0", "0.1.2.3", "127.0.0.1", "127.255.255.254", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
		"100.64.0.1", "100.100.100.200", "169.254.0.1", "169.254.169.254", "168.63.129.16", "192.0.0.1", "192.0.0.192", "192.0.2.1",
		"192.88.99.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
		"::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1",
		"fe80::1", "fe80::1%eth0", "febf::1", "fec0::1", "fc00::1", "fd00::1", "fd00:ec2::254", "ff02::1",
		"64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b::808:808", "64:ff9b:1::1", // NAT64
		"2002:7f00:1::", "2002:a9fe:a9fe::1", // 6to4
		"2001::1", "2001:10::1", "2001:20::1", "2001:db8::1", "3fff::1", "100::1", "5f00::1", "4000::1", // Teredo, ORCHID, documentation, discard, SRv6
	} {
		if g.check(netip.MustParseAddr(addr)) == nil {
			t.Errorf("%s was let through", addr)
		}
	}
	for _, addr := range []string{"8.8.8.8", "1.1.1.1", "::ffff:8.8.8.8", "2606:4700::1111", "172.32.0.1", "100.128.0.1"} {
		if err := g.check(netip.MustParseAddr(addr)); err != nil {
			t.Errorf("%s: %v", addr, err)
		}
	}
}

func TestGuardAllows(t *testing.T) {
	tests := []struct {
		listed string
		addr   string
		want   bool
	}{
		{"127.0.0.0/8", "127.0.0.1", true},
		{"127.0.0.0/8", "::ffff:127.0.0.1", true}, // the same machine
		{"127.0.0.0/8", "10.0.0.1", false},
		{"127.0.0.0/8", "::1", false},
		{"10.0.0.0/24", "10.0.0.255", true},
		{"10.0.0.0/24", "10.0.1.0", false},
		{"fd00::/8", "fd12::1", true},
		{"fd00::/8", "fd00:ec2::254", false}, // metadata
		{"fd00:ec2::254/128", "fd00:ec2::254", true},
		{"0.0.0.0/0", "192.168.0.1", true},
		{"0.0.0.0/0", "169.254.169.254", false}, // not by accident
		{"0.0.0.0/0", "::ffff:169.254.169.254", false},
		{"100.64.0.0/10", "100.64.0.1", true},
		{"100.64.0.0/10", "100.100.100.200", false},
		{"169.254.0.0/16", "169.254.169.254", true},
		{"169.254.169.254/32", "169.254.169.254", true},
		{"169.254.169.254/32", "169.254.169.253", false},
		{"::/0", "fe80::1", false},
		{"fe80::/10", "fe80::1%eth0", true},
		{"64:ff9b::/96", "64:ff9b::808:808", true},
	}
	for _, tt := range tests {
		err := newGuard(prefixes(tt.listed)).check(netip.MustParseAddr(tt.addr))
		if (err == nil) != tt.want {
			t.Errorf("%s with %s listed: %v, want allowed %v", tt.addr, tt.listed, err, tt.want)
		}
	}
}

func TestGuardSaysWhatToDo(t *testing.T) {
	tests := map[string]string{
		"127.0.0.1:8080":        "address 127.0.0.1 is in a private network; list it under callback.allow_networks to allow it",
		"[::ffff:10.1.2.3]:80":  "address 10.1.2.3 is in a private network; list it under callback.allow_networks to allow it",
		"169.254.169.254:80":    "address 169.254.169.254 is link-local or belongs to a cloud's metadata service; list exactly 169.254.169.254/32 under callback.allow_networks to allow it",
		"not an address at all": `check address: not an ip:port`,
	}
	for address, want := range tests {
		if err := newGuard(nil).control("tcp4", address, nil); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", address, err, want)
		}
	}
}
