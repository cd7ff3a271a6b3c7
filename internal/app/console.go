package app

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/console"
)

// makeConsole makes what is served under [console.Path], unless it is turned off.
func (a *App) makeConsole(ctx context.Context) error {
	if !a.opts.Config.Console.Enabled {
		return nil
	}
	system, err := a.makeTrend()
	if err != nil {
		return err
	}
	c, err := console.New(ctx, console.Options{
		Config: a.opts.Config.Console, Accounts: a.state, Zone: a.opts.Config.Location(),
		Logger: a.logger("console"), Metrics: a.registry, Version: a.opts.Version,
		Wall: a.wall, Streams: consoleStreams{control{a}}, Rules: consoleRules{control{a}},
		Ledger: a.ledger, System: system,
	})
	if err != nil {
		return fmt.Errorf("make the console: %w", err)
	}
	a.console = c
	a.onStop("console", func(context.Context) error {
		c.Stop()
		return nil
	})
	return nil
}

// ConsoleURL returns where the console is, "" where it is turned off. Password is
// that of the account [console.FirstAccount] if this start made it, else "".
func (a *App) ConsoleURL() (url string, password stillcast.Secret) {
	if a.console == nil {
		return "", ""
	}
	return "http://" + a.HTTPAddr().String() + console.Path, a.console.FirstPassword()
}

// serveConsole is called once everything was made.
func (a *App) serveConsole(w http.ResponseWriter, r *http.Request) {
	if a.console == nil {
		say(w, http.StatusNotFound, "the console is turned off, by console.enabled in the configuration")
		return
	}
	a.console.ServeHTTP(w, r)
}

// wantsConsole tells whether a request is one of a person who typed in the
// address and looks for something to look at.
func (a *App) wantsConsole(r *http.Request) bool {
	return a.console != nil && r.URL.Path == "/" && r.URL.RawQuery == "" && strings.Contains(r.Header.Get("Accept"), "text/html")
}
