package notify

import (
	"fmt"
	"net/netip"
	"syscall"

	"code.dny.dev/ssrf"
)

// guard decides which addresses callbacks may reach. It is asked for every dial,
// after name resolution, so that a name that changes its address gains nothing.
// The addresses that are refused are those of IANA's special-purpose registries,
// IPv6 outside of 2000::/3 (among them IPv4-mapped and NAT64 forms), and sensitive.
type guard struct {
	allowed []netip.Prefix
	special *ssrf.Guardian
}

func newGuard(allowed []netip.Prefix) *guard {
	return &guard{allowed: allowed, special: ssrf.New(ssrf.WithAnyPort())}
}

// blockedError is the refusal of an address.
type blockedError struct {
	addr      netip.Addr
	sensitive bool
}

func (e *blockedError) Error() string {
	if e.sensitive {
		return fmt.Sprintf("address %s is link-local or belongs to a cloud's metadata service; "+
			"list exactly %s under callback.allow_networks to allow it", e.addr, netip.PrefixFrom(e.addr, e.addr.BitLen()))
	}
	return fmt.Sprintf("address %s is in a private network; list it under callback.allow_networks to allow it", e.addr)
}

// control implements the Control function of a [net.Dialer].
func (g *guard) control(_, address string, _ syscall.RawConn) error {
	target, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("check address: %w", err)
	}
	return g.check(target.Addr())
}

func (g *guard) check(addr netip.Addr) error {
	addr = addr.Unmap().WithZone("")
	if block, ok := sensitive(addr); ok {
		if g.listedWithin(addr, block) {
			return nil
		}
		return &blockedError{addr: addr, sensitive: true}
	}
	for _, p := range g.allowed {
		if p.Contains(addr) {
			return nil
		}
	}
	if g.special.SafeAddr(addr) != nil {
		return &blockedError{addr: addr}
	}
	return nil
}

// listedWithin says whether a network that lies in block was listed for addr.
func (g *guard) listedWithin(addr netip.Addr, block netip.Prefix) bool {
	for _, p := range g.allowed {
		if p.Contains(addr) && p.Bits() >= block.Bits() {
			return true
		}
	}
	return false
}

// sensitive returns the block of an address that gives away credentials to who
// can reach it, and which a wide allow_networks must not open by accident.
func sensitive(addr netip.Addr) (netip.Prefix, bool) {
	blocks := [...]netip.Prefix{
		netip.PrefixFrom(netip.AddrFrom4([4]byte{169, 254, 0, 0}), 16),     // link-local, RFC 3927; metadata of AWS, Azure, GCP
		netip.PrefixFrom(netip.AddrFrom4([4]byte{100, 100, 100, 200}), 32), // metadata of Alibaba Cloud
		netip.PrefixFrom(netip.AddrFrom4([4]byte{168, 63, 129, 16}), 32),   // wire server of Azure
		netip.PrefixFrom(netip.AddrFrom4([4]byte{192, 0, 0, 192}), 32),     // metadata of Oracle Cloud
		netip.PrefixFrom(netip.AddrFrom16([16]byte{0: 0xfe, 1: 0x80}), 10), // link-local, RFC 4291
		netip.PrefixFrom(netip.MustParseAddr("fd00:ec2::254"), 128),        // metadata of AWS
		netip.PrefixFrom(netip.MustParseAddr("fd20:ce::254"), 128),         // metadata of GCP
	}
	for _, b := range blocks {
		if b.Contains(addr) {
			return b, true
		}
	}
	return netip.Prefix{}, false
}
