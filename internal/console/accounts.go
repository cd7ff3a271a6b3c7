package console

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

// FirstAccount is the name of the account that is made where there is none.
const FirstAccount = "admin"

// accounts is where accounts and sessions are kept; package state says what the
// methods promise.
type accounts interface {
	ConsoleAccounts(ctx context.Context) ([]state.ConsoleAccount, error)
	AddConsoleAccount(ctx context.Context, a state.ConsoleAccount) error
	SetConsolePassword(ctx context.Context, name string, password stillcast.Secret, keep string) error
	SetConsoleRole(ctx context.Context, name string, role state.ConsoleRole) error
	DeleteConsoleAccount(ctx context.Context, name string) error

	ConsoleSessions(ctx context.Context) ([]state.ConsoleSession, error)
	AddConsoleSession(ctx context.Context, s state.ConsoleSession, ended []string) error
	SeeConsoleSession(ctx context.Context, s state.ConsoleSession) error
	EndConsoleSessions(ctx context.Context, ids []string) error
}

// doors lets accounts in and changes them.
type doors struct {
	store    accounts
	hasher   *hasher
	sessions *sessions

	// changing is held while accounts are changed, and while a session begins, so
	// that none begins with what was taken away meanwhile.
	changing sync.Mutex
}

// newPassword returns a password that nobody guesses: 130 random bits.
func newPassword() string { return rand.Text() }

// prepare takes over what was there before the start. Where there is no account it
// makes the first, and returns its password.
func (d *doors) prepare(ctx context.Context) (first stillcast.Secret, err error) {
	all, err := d.store.ConsoleAccounts(ctx)
	if err != nil {
		return "", err
	}
	roles := make(map[string]Role, len(all))
	for _, a := range all {
		roles[a.Name] = a.Role
	}
	if err := d.sessions.load(ctx, roles); err != nil || len(all) > 0 {
		return "", err
	}
	password, err := d.add(ctx, FirstAccount, RoleAdmin)
	if err != nil {
		return "", fmt.Errorf("make the console's first account: %w", err)
	}
	return stillcast.Secret(password), nil
}

// ResetPassword gives an account of the console a new password, which it returns,
// and ends its sessions. It is for who has lost it; no server may use the state.
func ResetPassword(ctx context.Context, store accounts, name string) (string, error) {
	return resetPassword(ctx, store, newHasher(recommended()), name)
}

func resetPassword(ctx context.Context, store accounts, h *hasher, name string) (string, error) {
	password := newPassword()
	hash, err := h.hash(ctx, password)
	if err != nil {
		return "", fmt.Errorf("hash a password: %w", err)
	}
	return password, store.SetConsolePassword(ctx, name, hash, "")
}

// find returns the account with a name; the zero one where there is none.
func (d *doors) find(ctx context.Context, name string) (state.ConsoleAccount, error) {
	all, err := d.store.ConsoleAccounts(ctx)
	if err != nil {
		return state.ConsoleAccount{}, err
	}
	for _, a := range all {
		if a.Name == name {
			return a, nil
		}
	}
	return state.ConsoleAccount{}, nil
}

// add makes an account and returns its password.
func (d *doors) add(ctx context.Context, name string, role Role) (string, error) {
	d.changing.Lock()
	defer d.changing.Unlock()
	password := newPassword()
	hash, err := d.hasher.hash(ctx, password)
	if err != nil {
		return "", fmt.Errorf("hash a password: %w", err)
	}
	return password, d.store.AddConsoleAccount(ctx, state.ConsoleAccount{Name: name, Role: role, Password: hash})
}

// reset gives an account a new password, which it returns, and ends its sessions.
func (d *doors) reset(ctx context.Context, name string) (string, error) {
	d.changing.Lock()
	defer d.changing.Unlock()
	password, err := resetPassword(ctx, d.store, d.hasher, name)
	if err != nil {
		return "", err
	}
	d.sessions.dropAccount(name, "")
	return password, nil
}

// change gives an account the password that it chose. Its sessions end, but the
// one that it chose it in.
func (d *doors) change(ctx context.Context, name, password, keep string) error {
	hash, err := d.hasher.hash(ctx, password)
	if err != nil {
		return err
	}
	d.changing.Lock()
	defer d.changing.Unlock()
	if err := d.store.SetConsolePassword(ctx, name, hash, keep); err != nil {
		return err
	}
	d.sessions.dropAccount(name, keep)
	return nil
}

func (d *doors) setRole(ctx context.Context, name string, role Role) error {
	d.changing.Lock()
	defer d.changing.Unlock()
	if err := d.store.SetConsoleRole(ctx, name, role); err != nil {
		return err
	}
	d.sessions.setRole(name, role)
	return nil
}

func (d *doors) remove(ctx context.Context, name string) error {
	d.changing.Lock()
	defer d.changing.Unlock()
	if err := d.store.DeleteConsoleAccount(ctx, name); err != nil {
		return err
	}
	d.sessions.dropAccount(name, "")
	return nil
}

// check tells whether an account, which may be the zero one, has a password. It
// takes as long for every account and for none.
func (d *doors) check(ctx context.Context, a state.ConsoleAccount, password string) (bool, error) {
	if len(password) > maxPassword {
		password = "" // is nobody's
	}
	return d.hasher.verify(ctx, password, a.Password)
}

// open begins a session of an account that has shown its password.
func (d *doors) open(ctx context.Context, a state.ConsoleAccount, from session, ended ...string) (cookie string, err error) {
	d.changing.Lock()
	defer d.changing.Unlock()
	now, err := d.find(ctx, a.Name)
	switch {
	case err != nil:
		return "", err
	case now.Password != a.Password:
		return "", errLoggedOut // it was changed since it was checked
	}
	from.Account, from.Role = now.Name, now.Role
	return d.sessions.begin(ctx, from, ended...)
}
