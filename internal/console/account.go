package console

import (
	"errors"
	"log/slog"
	"net/http"
	"slices"
)

// accountData is what the page of one's own account shows.
type accountData struct {
	Sessions []sessionRow
	Fault    string // of the password form
	Wrong    string // the field at fault: "current", "password" or "again"
}

// sessionRow is a session in a table.
type sessionRow struct {
	session

	Here bool // it is the one that looks
}

// Browser is what people call it; "" where it does not say.
func (s sessionRow) Browser() string { return agentName(s.Agent) }

func (v *view) rows(all []session) []sessionRow {
	rows := make([]sessionRow, len(all))
	for i, s := range all {
		rows[i] = sessionRow{session: s, Here: s.ID == v.session.ID}
	}
	return rows
}

func (v *view) accountPage() error { return v.showAccount(http.StatusOK, "", nil) }

func (v *view) showAccount(status int, field string, fault error) error {
	data := accountData{Sessions: v.rows(v.doors.sessions.list(v.session.Account)), Wrong: field}
	if fault != nil {
		status, data.Fault = v.explain(v, fault)
	}
	return v.pageWith(status, "account", data)
}

// changePassword changes one's own password for who knows it.
func (v *view) changePassword() error {
	current, password := v.r.PostFormValue("current"), v.r.PostFormValue("password")
	if err := checkPassword(v.session.Account, password); err != nil {
		return v.showAccount(0, "password", err)
	}
	if password != v.r.PostFormValue("again") {
		return v.showAccount(0, "again", refusedf(http.StatusUnprocessableEntity, "entry.password_differs"))
	}
	account, err := v.doors.find(v.r.Context(), v.session.Account)
	if err != nil {
		return err
	}
	g := guess{v.guesses, v.network(), "change " + account.Name}
	if wait := g.wait(); wait > 0 {
		return v.showAccount(0, "current", refusedf(http.StatusTooManyRequests, "entry.slowed", seconds(wait)))
	}
	g.failed()
	ok, err := v.doors.check(v.r.Context(), account, current)
	switch {
	case errors.Is(err, errBusy):
		return v.showAccount(0, "current", refusedf(http.StatusServiceUnavailable, "entry.busy"))
	case err != nil:
		return err
	case !ok:
		return v.showAccount(0, "current", refusedf(http.StatusUnprocessableEntity, "entry.password_wrong"))
	}
	g.passed()
	if err := v.doors.change(v.r.Context(), account.Name, password, v.session.ID); err != nil {
		return err
	}
	v.audit("change password")
	account, err = v.doors.find(v.r.Context(), account.Name)
	if err != nil {
		return err
	}
	v.remember(account)
	return v.redirectDone(Path+"account", "done.password")
}

// endOwnSessions ends one of one's own sessions, or all others.
func (v *view) endOwnSessions() error {
	var ids []string
	wanted := v.r.PostFormValue("id")
	for _, s := range v.doors.sessions.list(v.session.Account) {
		if s.ID == wanted || wanted == "" && s.ID != v.session.ID {
			ids = append(ids, s.ID)
		}
	}
	if wanted != "" && len(ids) == 0 {
		return refusedf(http.StatusNotFound, "entry.no_session")
	}
	if err := v.doors.sessions.revoke(v.r.Context(), ids...); err != nil {
		return err
	}
	v.audit("end sessions", slog.Int("sessions", len(ids)))
	if slices.Contains(ids, v.session.ID) {
		return v.redirect(Path + "login")
	}
	return v.redirectDone(Path+"account", "done.sessions")
}
