package statetest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

// consoleAccount is a valid account.
func consoleAccount(name string, role state.ConsoleRole) state.ConsoleAccount {
	return state.ConsoleAccount{Name: name, Role: role, Password: stillcast.Secret("hash of " + name), Created: start(), Changed: start()}
}

// consoleSession is a session that lasts an hour from now.
func consoleSession(id, account string) state.ConsoleSession {
	return state.ConsoleSession{
		ID: id, Account: account, Created: start(), Seen: start(), Expires: time.Now().Add(time.Hour).UTC().Truncate(time.Microsecond),
		Address: "192.0.2.1", Agent: "a browser",
	}
}

func (c suite) consoleAccounts(t *testing.T) {
	s := c.open(t)
	listed := func(want ...state.ConsoleAccount) {
		t.Helper()
		got, err := s.ConsoleAccounts(t.Context())
		check(t, err)
		same(t, "accounts", want, got)
	}
	listed()
	zoe, admin := consoleAccount("zoe.1@x_y-z", state.ConsoleViewer), consoleAccount("admin", state.ConsoleAdmin)
	check(t, s.AddConsoleAccount(t.Context(), zoe))
	check(t, s.AddConsoleAccount(t.Context(), admin))
	listed(admin, zoe)

	check(t, s.SetConsoleRole(t.Context(), zoe.Name, state.ConsoleAdmin))
	zoe.Role = state.ConsoleAdmin
	listed(admin, zoe)

	check(t, s.SetConsolePassword(t.Context(), zoe.Name, "another", ""))
	got, err := s.ConsoleAccounts(t.Context())
	check(t, err)
	recent(t, "change of a password", got[1].Changed)
	zoe.Password, zoe.Changed = "another", got[1].Changed
	listed(admin, zoe)

	check(t, s.DeleteConsoleAccount(t.Context(), admin.Name))
	listed(zoe)
	check(t, s.AddConsoleAccount(t.Context(), state.ConsoleAccount{Name: "now", Role: state.ConsoleViewer, Password: "x"}))
	got, err = s.ConsoleAccounts(t.Context())
	check(t, err)
	recent(t, "creation of an account", got[0].Created)
	recent(t, "first password of an account", got[0].Changed)
}

func (c suite) consoleAccountLimit(t *testing.T) {
	s := c.open(t)
	for i := range state.MaxConsoleAccounts {
		check(t, s.AddConsoleAccount(t.Context(), consoleAccount(fmt.Sprintf("a%d", i), state.ConsoleViewer)))
	}
	refused(t, s.AddConsoleAccount(t.Context(), consoleAccount("more", state.ConsoleViewer)), stillcast.CodeLimit, "name")
	check(t, s.DeleteConsoleAccount(t.Context(), "a0"))
	check(t, s.AddConsoleAccount(t.Context(), consoleAccount("more", state.ConsoleViewer)))
}

func (c suite) consoleRefuses(t *testing.T) {
	s := c.open(t)
	for _, name := range []string{"", "Admin", "a b", "-a", ".", "管理", "a\x00", strings.Repeat("a", state.MaxConsoleName+1)} {
		refused(t, s.AddConsoleAccount(t.Context(), consoleAccount(name, state.ConsoleViewer)), stillcast.CodeInvalid, "name")
	}
	refused(t, s.AddConsoleAccount(t.Context(), consoleAccount("a", "owner")), stillcast.CodeInvalid, "role")
	refused(t, s.AddConsoleAccount(t.Context(), state.ConsoleAccount{Name: "a", Role: state.ConsoleAdmin}), stillcast.CodeInvalid, "password")

	check(t, s.AddConsoleAccount(t.Context(), consoleAccount("a", state.ConsoleAdmin)))
	refused(t, s.AddConsoleAccount(t.Context(), consoleAccount("a", state.ConsoleViewer)), stillcast.CodeConflict, "name")
	refused(t, s.SetConsoleRole(t.Context(), "a", "owner"), stillcast.CodeInvalid, "role")
	refused(t, s.SetConsoleRole(t.Context(), "b", state.ConsoleAdmin), stillcast.CodeNotFound, "name")
	refused(t, s.SetConsolePassword(t.Context(), "b", "x", ""), stillcast.CodeNotFound, "name")
	refused(t, s.DeleteConsoleAccount(t.Context(), "b"), stillcast.CodeNotFound, "name")

	check(t, s.AddConsoleSession(t.Context(), consoleSession("1", "a"), nil))
	refused(t, s.AddConsoleSession(t.Context(), consoleSession("1", "a"), nil), stillcast.CodeConflict, "id")
	refused(t, s.AddConsoleSession(t.Context(), consoleSession("", "a"), nil), stillcast.CodeInvalid, "id")
	refused(t, s.AddConsoleSession(t.Context(), state.ConsoleSession{ID: "2", Account: "a"}, nil), stillcast.CodeInvalid, "expires")
	// What is refused ends nothing either.
	refused(t, s.AddConsoleSession(t.Context(), consoleSession("2", "b"), []string{"1"}), stillcast.CodeNotFound, "name")
	sessions, err := s.ConsoleSessions(t.Context())
	check(t, err)
	same(t, "sessions", []string{"1"}, sessionIDs(sessions))
}

func (c suite) lastConsoleAdmin(t *testing.T) {
	s := c.open(t)
	check(t, s.AddConsoleAccount(t.Context(), consoleAccount("one", state.ConsoleAdmin)))
	check(t, s.AddConsoleAccount(t.Context(), consoleAccount("two", state.ConsoleViewer)))
	refused(t, s.DeleteConsoleAccount(t.Context(), "one"), stillcast.CodeConflict, "name")
	refused(t, s.SetConsoleRole(t.Context(), "one", state.ConsoleViewer), stillcast.CodeConflict, "name")
	check(t, s.SetConsoleRole(t.Context(), "one", state.ConsoleAdmin))

	check(t, s.SetConsoleRole(t.Context(), "two", state.ConsoleAdmin))
	check(t, s.SetConsoleRole(t.Context(), "one", state.ConsoleViewer))
	check(t, s.DeleteConsoleAccount(t.Context(), "one"))
	refused(t, s.DeleteConsoleAccount(t.Context(), "two"), stillcast.CodeConflict, "name")
}

func (c suite) consoleSessions(t *testing.T) {
	s := c.open(t)
	check(t, s.AddConsoleAccount(t.Context(), consoleAccount("a", state.ConsoleAdmin)))
	listed := func(want ...state.ConsoleSession) {
		t.Helper()
		got, err := s.ConsoleSessions(t.Context())
		check(t, err)
		same(t, "sessions", want, got)
	}
	listed()
	first, second := consoleSession("first", "a"), consoleSession("second", "a")
	check(t, s.AddConsoleSession(t.Context(), second, nil))
	check(t, s.AddConsoleSession(t.Context(), first, nil))
	listed(first, second)

	first.Seen = first.Seen.Add(time.Minute)
	check(t, s.SeeConsoleSession(t.Context(), first))
	check(t, s.SeeConsoleSession(t.Context(), consoleSession("none", "a")))
	listed(first, second)

	// What a browser says of itself is clipped, and is text.
	long := consoleSession("third", "a")
	long.Agent, long.Address = strings.Repeat("é", state.MaxConsoleClient), "\xff"
	check(t, s.AddConsoleSession(t.Context(), long, []string{"first", "none"}))
	long.Agent, long.Address = strings.Repeat("é", state.MaxConsoleClient/2), ""
	listed(second, long)

	check(t, s.AddConsoleSession(t.Context(), state.ConsoleSession{ID: "now", Account: "a", Expires: first.Expires}, []string{"second", "third"}))
	got, err := s.ConsoleSessions(t.Context())
	check(t, err)
	recent(t, "begin of a session", got[0].Created)
	recent(t, "sight of a session", got[0].Seen)
}

func (c suite) consoleSessionsEnd(t *testing.T) {
	s := c.open(t)
	for _, name := range []string{"a", "b"} {
		check(t, s.AddConsoleAccount(t.Context(), consoleAccount(name, state.ConsoleAdmin)))
	}
	add := func(session state.ConsoleSession) {
		t.Helper()
		check(t, s.AddConsoleSession(t.Context(), session, nil))
	}
	left := func(want ...string) {
		t.Helper()
		got, err := s.ConsoleSessions(t.Context())
		check(t, err)
		same(t, "sessions", want, sessionIDs(got))
	}
	for _, id := range []string{"a1", "a2", "a3", "b1", "b2"} {
		add(consoleSession(id, id[:1]))
	}
	check(t, s.EndConsoleSessions(t.Context(), []string{"b2", "none"}))
	left("a1", "a2", "a3", "b1")
	check(t, s.SetConsolePassword(t.Context(), "a", "x", "a2"))
	left("a2", "b1")
	check(t, s.DeleteConsoleAccount(t.Context(), "a"))
	left("b1")

	expired := consoleSession("b3", "b")
	expired.Expires = time.Now().Add(-time.Second)
	add(expired)
	left("b1", "b3")
	add(consoleSession("b4", "b"))
	left("b1", "b4")
	check(t, s.SetConsolePassword(t.Context(), "b", "x", ""))
	left()
}

func sessionIDs(all []state.ConsoleSession) []string {
	var ids []string
	for _, s := range all {
		ids = append(ids, s.ID)
	}
	return ids
}
