// Package ingest decides who may push, and is what every ingest protocol and
// the rest of Stillcast agree on. The protocols are sub-packages: they accept
// connections and hand over access units; this package parses push URLs,
// checks their authorisation and knows the pushes that are live.
package ingest

import (
	"net/netip"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/media"
)

// Request is a publisher's wish to push, as its protocol carried it.
type Request struct {
	URL    PushURL
	Remote netip.AddrPort // the publisher; not valid over a unix socket
	Local  netip.AddrPort // that it was accepted on; not valid over a unix socket
}

// node is the address that accepted the push, "" over a unix socket.
func (r Request) node() string {
	if !r.Local.IsValid() {
		return ""
	}
	return r.Local.Addr().Unmap().String()
}

// remote names the publisher's address in logs.
func (r Request) remote() string {
	if !r.Remote.IsValid() {
		return "unix"
	}
	return r.Remote.String()
}

// AddressKey is what counts as one publisher's address: one of IPv4, or a network
// of IPv6, of which it may use every address. It is not valid where there is none.
func AddressKey(addr netip.Addr) netip.Prefix {
	const network = 64
	addr = addr.Unmap().WithZone("")
	bits := addr.BitLen()
	if addr.Is6() {
		bits = network
	}
	prefix, err := addr.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return prefix
}

// nameOf names an address for people.
func nameOf(a netip.Addr) string {
	if !a.IsValid() {
		return "a unix socket"
	}
	return a.Unmap().String()
}

// Push is one accepted push, as the protocol that carries it sees it. Its
// methods never block, and are called from one goroutine.
type Push interface {
	// Configure gives the decoder configuration of the access units that
	// follow. It is called again whenever a new one arrives. An error means that
	// it can never give a picture: the protocol ends the push with it.
	Configure(c *media.Config) error
	// Want is asked when the first bytes of an access unit are here. The rest
	// is kept and handed to Take only after true; otherwise it is skipped.
	Want(u media.Unit) bool
	// Take hands over an access unit; the receiver releases it.
	Take(au *media.AccessUnit)
	// OnStop has f called, once, with the reason, when the server wants the push to
	// end: by another goroutine, or before OnStop returns if it does already. f does
	// not block.
	OnStop(f func(stillcast.PushEnd))
	// End is called once, last. It records the end of the push.
	End(end stillcast.PushEnd)
}
