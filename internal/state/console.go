package state

import (
	"strings"
	"time"

	"github.com/stillcast/stillcast"
)

// Limits of what is kept for the console.
const (
	MaxConsoleAccounts = 1000
	MaxConsoleName     = 64  // bytes of an account's name
	MaxConsoleClient   = 256 // bytes of Address and of Agent each
)

// ConsoleRole is what an account may do in the console.
type ConsoleRole string

// The roles.
const (
	ConsoleViewer ConsoleRole = "viewer" // may look at everything but secrets
	ConsoleAdmin  ConsoleRole = "admin"  // may change it, too
)

// Validate reports a role that there is not, as [stillcast.Error].
func (r ConsoleRole) Validate() error {
	if r != ConsoleViewer && r != ConsoleAdmin {
		return stillcast.Errorf(stillcast.CodeInvalid, "role", "is %q; allowed are %s and %s", string(r), ConsoleViewer, ConsoleAdmin)
	}
	return nil
}

// ConsoleAccount is who may log in to the console.
type ConsoleAccount struct {
	Name     string // lower case, so that no two look the same
	Role     ConsoleRole
	Password stillcast.Secret // its hash, which the state does not look into
	Created  time.Time        // zero: now
	Changed  time.Time        // the password; zero: now
}

// Validate reports the first field that is not allowed, as [stillcast.Error].
func (a ConsoleAccount) Validate() error {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789"
	switch {
	case a.Name == "" || len(a.Name) > MaxConsoleName:
		return stillcast.Errorf(stillcast.CodeInvalid, "name", "has %d characters; allowed are 1 to %d", len(a.Name), MaxConsoleName)
	case strings.ContainsFunc(a.Name, func(r rune) bool { return !strings.ContainsRune(letters+"._@-", r) }),
		!strings.Contains(letters, a.Name[:1]):
		return stillcast.Errorf(stillcast.CodeInvalid, "name",
			"is %q; allowed are a to z, 0 to 9 and . _ @ - with a letter or digit first", a.Name)
	case a.Password == "":
		return stillcast.Errorf(stillcast.CodeInvalid, "password", "is missing")
	}
	return a.Role.Validate()
}

// ConsoleSession is one browser that is logged in to the console.
type ConsoleSession struct {
	ID      string // the hash of what the browser shows; who reads it cannot log in with it
	Account string
	Created time.Time // zero: now
	Seen    time.Time // last; zero: now
	Expires time.Time
	Address string // of the browser, at its login; clipped to MaxConsoleClient
	Agent   string // how the browser calls itself, likewise
}
