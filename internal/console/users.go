package console

import (
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

// usersData is what the page of all accounts shows.
type usersData struct {
	Accounts []accountRow
	Sessions []sessionRow
	Roles    []Role

	// After an account got one, which is shown once.
	Named, Password string

	// Of the form for a new account.
	Name  string
	Role  Role
	Fault string
}

// accountRow is an account in a table.
type accountRow struct {
	Name     string
	Role     Role
	Changed  time.Time // the password
	Seen     time.Time // zero: has no session
	Sessions int
	Self     bool // it is that of the viewer
}

func (v *view) usersPage() error { return v.showUsers(http.StatusOK, usersData{}) }

func (v *view) showUsers(status int, data usersData) error {
	all, err := v.doors.store.ConsoleAccounts(v.r.Context())
	if err != nil {
		return err
	}
	data.Sessions = v.rows(v.doors.sessions.list(""))
	data.Accounts = make([]accountRow, len(all))
	for i, a := range all {
		row := accountRow{Name: a.Name, Role: a.Role, Changed: a.Changed, Self: a.Name == v.session.Account}
		for _, s := range data.Sessions {
			if s.Account != a.Name {
				continue
			}
			row.Sessions++
			if s.Seen.After(row.Seen) {
				row.Seen = s.Seen
			}
		}
		data.Accounts[i] = row
	}
	data.Roles = []Role{RoleViewer, RoleAdmin}
	if data.Role == "" {
		data.Role = RoleViewer
	}
	return v.pageWith(status, "users", data)
}

func (v *view) addUser() error {
	data := usersData{Name: strings.ToLower(strings.TrimSpace(v.r.PostFormValue("name"))), Role: Role(v.r.PostFormValue("role"))}
	password, err := v.doors.add(v.r.Context(), data.Name, data.Role)
	if err != nil {
		if stillcast.CodeOf(err) == "" {
			return err
		}
		status, text := v.explain(v, err)
		data.Fault = text
		return v.showUsers(status, data)
	}
	v.audit("add account", slog.String("name", data.Name), slog.String("role", string(data.Role)))
	return v.showUsers(http.StatusOK, usersData{Named: data.Name, Password: password})
}

func (v *view) setUserRole() error {
	name, role := v.r.PostFormValue("name"), state.ConsoleRole(v.r.PostFormValue("role"))
	if err := v.doors.setRole(v.r.Context(), name, role); err != nil {
		return err
	}
	v.audit("set role", slog.String("name", name), slog.String("role", string(role)))
	if name == v.session.Account && role != RoleAdmin {
		return v.redirectDone(Path+"account", "done.role")
	}
	return v.redirectDone(Path+"users", "done.role")
}

func (v *view) resetUser() error {
	name := v.r.PostFormValue("name")
	if name == v.session.Account {
		return refusedf(http.StatusConflict, "users.own_password")
	}
	password, err := v.doors.reset(v.r.Context(), name)
	if err != nil {
		return err
	}
	v.audit("reset password", slog.String("name", name))
	return v.showUsers(http.StatusOK, usersData{Named: name, Password: password})
}

func (v *view) deleteUser() error {
	name := v.r.PostFormValue("name")
	if err := v.doors.remove(v.r.Context(), name); err != nil {
		return err
	}
	v.audit("delete account", slog.String("name", name))
	if name == v.session.Account {
		return v.redirect(Path + "login")
	}
	return v.redirectDone(Path+"users", "done.deleted")
}

// endSession ends a session of anybody.
func (v *view) endSession() error {
	id := v.r.PostFormValue("id")
	for _, s := range v.doors.sessions.list("") {
		if s.ID != id {
			continue
		}
		if err := v.doors.sessions.revoke(v.r.Context(), id); err != nil {
			return err
		}
		v.audit("end session", slog.String("name", s.Account))
		if id == v.session.ID {
			return v.redirect(Path + "login")
		}
		return v.redirectDone(Path+"users", "done.sessions")
	}
	return refusedf(http.StatusNotFound, "entry.no_session")
}
