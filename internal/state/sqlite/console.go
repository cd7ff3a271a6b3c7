package sqlite

import (
	"context"
	"strings"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

// ConsoleAccounts returns the accounts of the console in the order of their names.
func (s *Store) ConsoleAccounts(ctx context.Context) ([]state.ConsoleAccount, error) {
	var all []state.ConsoleAccount
	err := s.read(ctx, consoleAccountQuery+" ORDER BY name", nil, func(scan scan) error {
		return appendRow(&all, scan, scanConsoleAccount)
	})
	if err != nil {
		return nil, within("list console accounts", err)
	}
	return all, nil
}

// AddConsoleAccount adds an account. Errors are of type [stillcast.Error]:
// CodeInvalid, CodeConflict for a name that there is, and CodeLimit beyond
// [state.MaxConsoleAccounts].
func (s *Store) AddConsoleAccount(ctx context.Context, a state.ConsoleAccount) error {
	if err := a.Validate(); err != nil {
		return err
	}
	if a.Created.IsZero() {
		a.Created = now()
	}
	if a.Changed.IsZero() {
		a.Changed = a.Created
	}
	return s.change(ctx, "add console account", func(t *tx) error {
		var total, same int
		_, err := t.one("SELECT count(*), coalesce(sum(name = ?), 0) FROM console_account", []any{a.Name}, &total, &same)
		switch {
		case err != nil:
			return err
		case same > 0:
			return stillcast.Errorf(stillcast.CodeConflict, "name", "%q is an account already", a.Name)
		case total >= state.MaxConsoleAccounts:
			return stillcast.Errorf(stillcast.CodeLimit, "name", "cannot be added: there are %d accounts, and no more are allowed", total)
		}
		_, err = t.exec("INSERT INTO console_account (name, role, password, created_at, changed_at) VALUES (?, ?, ?, ?, ?)",
			a.Name, string(a.Role), a.Password.Reveal(), micros(a.Created), micros(a.Changed))
		return err
	})
}

// SetConsolePassword gives an account the hash of another password and ends its
// sessions, all but the one with the id keep; "" keeps none. An account that there
// is not is a [stillcast.Error] of CodeNotFound.
func (s *Store) SetConsolePassword(ctx context.Context, name string, password stillcast.Secret, keep string) error {
	return s.change(ctx, "set console password", func(t *tx) error {
		if _, err := t.consoleAccount(name); err != nil {
			return err
		}
		_, err := t.exec("UPDATE console_account SET password = ?, changed_at = ? WHERE name = ?", password.Reveal(), micros(now()), name)
		if err != nil {
			return err
		}
		_, err = t.exec("DELETE FROM console_session WHERE account = ? AND id != ?", name, keep)
		return err
	})
}

// SetConsoleRole gives an account another role. Errors are of type
// [stillcast.Error]: CodeNotFound, CodeInvalid, and CodeConflict where no admin
// would be left.
func (s *Store) SetConsoleRole(ctx context.Context, name string, role state.ConsoleRole) error {
	if err := role.Validate(); err != nil {
		return err
	}
	return s.change(ctx, "set console role", func(t *tx) error {
		a, err := t.consoleAccount(name)
		if err != nil {
			return err
		}
		if role != state.ConsoleAdmin {
			if err := t.mayLeaveAdmins(a); err != nil {
				return err
			}
		}
		_, err = t.exec("UPDATE console_account SET role = ? WHERE name = ?", string(role), name)
		return err
	})
}

// DeleteConsoleAccount deletes an account with its sessions. Errors are of type
// [stillcast.Error]: CodeNotFound, and CodeConflict where no admin would be left.
func (s *Store) DeleteConsoleAccount(ctx context.Context, name string) error {
	return s.change(ctx, "delete console account", func(t *tx) error {
		a, err := t.consoleAccount(name)
		if err != nil {
			return err
		}
		if err := t.mayLeaveAdmins(a); err != nil {
			return err
		}
		_, err = t.exec("DELETE FROM console_account WHERE name = ?", name)
		return err
	})
}

// mayLeaveAdmins refuses to take the last admin away, without whom nobody could
// make another.
func (t *tx) mayLeaveAdmins(a state.ConsoleAccount) error {
	if a.Role != state.ConsoleAdmin {
		return nil
	}
	others, err := t.numbers("SELECT count(*) FROM console_account WHERE role = ? AND name != ?", string(state.ConsoleAdmin), a.Name)
	if err != nil || others[0] > 0 {
		return err
	}
	return stillcast.Errorf(stillcast.CodeConflict, "name", "%q is the last admin; make another account admin first", a.Name)
}

func (t *tx) consoleAccount(name string) (state.ConsoleAccount, error) {
	a, ok, err := first(t, consoleAccountQuery+" WHERE name = ?", []any{name}, scanConsoleAccount)
	if err == nil && !ok {
		err = stillcast.Errorf(stillcast.CodeNotFound, "name", "%q is no account of the console", name)
	}
	return a, err
}

const consoleAccountQuery = "SELECT name, role, password, created_at, changed_at FROM console_account"

func scanConsoleAccount(scan scan) (a state.ConsoleAccount, err error) {
	var role, password string
	var created, changed int64
	err = scan(&a.Name, &role, &password, &created, &changed)
	a.Role, a.Password = state.ConsoleRole(role), stillcast.Secret(password)
	a.Created, a.Changed = fromMicros(created), fromMicros(changed)
	return a, err
}

// ConsoleSessions returns the sessions of the console in the order of their ids.
// It gives also those that have expired, until the next one is added.
func (s *Store) ConsoleSessions(ctx context.Context) ([]state.ConsoleSession, error) {
	var all []state.ConsoleSession
	err := s.read(ctx, "SELECT id, account, created_at, seen_at, expires_at, address, agent FROM console_session ORDER BY id", nil,
		func(scan scan) error { return appendRow(&all, scan, scanConsoleSession) })
	if err != nil {
		return nil, within("list console sessions", err)
	}
	return all, nil
}

func scanConsoleSession(scan scan) (s state.ConsoleSession, err error) {
	var created, seen, expires int64
	err = scan(&s.ID, &s.Account, &created, &seen, &expires, &s.Address, &s.Agent)
	s.Created, s.Seen, s.Expires = fromMicros(created), fromMicros(seen), fromMicros(expires)
	return s, err
}

// AddConsoleSession adds a session and ends others in the same step: those of
// ended, and all that have expired. Errors are of type [stillcast.Error]:
// CodeNotFound for an account that there is not, CodeInvalid, and CodeConflict
// for an id that there is.
func (s *Store) AddConsoleSession(ctx context.Context, session state.ConsoleSession, ended []string) error {
	switch {
	case session.ID == "":
		return stillcast.Errorf(stillcast.CodeInvalid, "id", "is missing")
	case session.Expires.IsZero():
		return stillcast.Errorf(stillcast.CodeInvalid, "expires", "is missing; a session needs an end")
	}
	if session.Created.IsZero() {
		session.Created = now()
	}
	if session.Seen.IsZero() {
		session.Seen = session.Created
	}
	return s.change(ctx, "add console session", func(t *tx) error {
		if err := t.endConsoleSessions(ended); err != nil {
			return err
		}
		if _, err := t.exec("DELETE FROM console_session WHERE expires_at <= ?", micros(now())); err != nil {
			return err
		}
		if _, err := t.consoleAccount(session.Account); err != nil {
			return err
		}
		added, err := t.exec(`INSERT INTO console_session (id, account, created_at, seen_at, expires_at, address, agent)
			VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`, session.ID, session.Account,
			micros(session.Created), micros(session.Seen), micros(session.Expires), clipped(session.Address), clipped(session.Agent))
		if err == nil && added == 0 {
			err = stillcast.Errorf(stillcast.CodeConflict, "id", "is that of another session")
		}
		return err
	})
}

// SeeConsoleSession notes when a session was seen last. A session that there is
// not is no error: it may have ended meanwhile.
func (s *Store) SeeConsoleSession(ctx context.Context, session state.ConsoleSession) error {
	return s.change(ctx, "note console session", func(t *tx) error {
		_, err := t.exec("UPDATE console_session SET seen_at = ? WHERE id = ?", micros(session.Seen), session.ID)
		return err
	})
}

// EndConsoleSessions ends sessions. Ids that there are not are no error.
func (s *Store) EndConsoleSessions(ctx context.Context, ids []string) error {
	return s.change(ctx, "end console sessions", func(t *tx) error { return t.endConsoleSessions(ids) })
}

func (t *tx) endConsoleSessions(ids []string) error {
	for _, id := range ids {
		if _, err := t.exec("DELETE FROM console_session WHERE id = ?", id); err != nil {
			return err
		}
	}
	return nil
}

// clipped is the beginning of what a browser said of itself.
func clipped(text string) string {
	return strings.ToValidUTF8(text[:min(len(text), state.MaxConsoleClient)], "")
}
