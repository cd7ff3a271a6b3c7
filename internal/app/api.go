package app

import (
	"context"
	"fmt"
	"net/http"

	"github.com/stillcast/stillcast/internal/api"
	"github.com/stillcast/stillcast/internal/console"
)

// makeAPI makes the control API; without credentials in the configuration it has
// one of its own.
func (a *App) makeAPI(context.Context) error {
	credentials := a.opts.Config.API.Credentials
	if len(credentials) == 0 {
		own, made, err := api.LoadCredential(a.opts.Config.DataDir)
		if err != nil {
			return err
		}
		a.credential, a.credentialMade = own, made
		credentials = []api.Credential{own}
	}
	server, err := api.New(api.Options{
		Credentials: credentials, Control: control{a}, Host: api.HostOf, Logger: a.logger("api"), Registerer: a.registry,
	})
	if err != nil {
		return fmt.Errorf("make the control api: %w", err)
	}
	a.api = server
	return nil
}

// Credential returns the control API's own credential, which is zero where the
// configuration has others, and whether this start made it.
func (a *App) Credential() (own api.Credential, made bool) { return a.credential, a.credentialMade }

const frontPage = `Stillcast takes screenshots of live streams.

This address serves their pictures, under /pictures/, the ledger of shots and
events, under /api/v1/, the console, under /console/, and the control API: the actions of Tencent Cloud live
2018-08-01, to signed requests.
`

// front sends calls to the API, and tells a browser where it is.
func (a *App) front(w http.ResponseWriter, r *http.Request) {
	switch {
	case api.Wants(r):
		a.api.ServeHTTP(w, r)
	case a.wantsConsole(r):
		http.Redirect(w, r, console.Path, http.StatusSeeOther)
	case r.URL.Path == "/" && (r.Method == http.MethodGet || r.Method == http.MethodHead):
		say(w, http.StatusOK, frontPage)
	default:
		say(w, http.StatusNotFound, "there is nothing here")
	}
}
