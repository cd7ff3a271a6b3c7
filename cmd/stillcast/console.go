package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/config"
	"github.com/stillcast/stillcast/internal/console"
	"github.com/stillcast/stillcast/internal/state/sqlite"
)

type consoleCommand struct {
	ResetPassword resetPasswordCommand `cmd:"" name:"reset-password" help:"Give an account of the console a new password, while the server is stopped."`
}

type resetPasswordCommand struct {
	Name   string `arg:"" help:"Name of the account, such as admin."`
	Config string `default:"${default_config}" placeholder:"FILE" help:"Configuration file of the server. Without this flag: ${default_config}."`
}

// Help is the end of the command's help.
func (resetPasswordCommand) Help() string {
	return "It works on the database in data_dir, which a running server keeps for itself: stop that first. " +
		"While it runs, an admin can reset passwords in the console, under Accounts."
}

// Run gives the account a new password, prints it, and ends the account's sessions.
func (c resetPasswordCommand) Run(ctx context.Context, o output) (err error) {
	cfg, err := config.Load(c.Config)
	if err != nil {
		return err
	}
	settings := sqlite.DefaultConfig()
	settings.Path = filepath.Join(cfg.DataDir, "stillcast.db")
	if _, err := os.Stat(settings.Path); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is not there; name the configuration of the server with --config, and run this where the server is started", settings.Path)
	}
	store, err := sqlite.Open(ctx, settings, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if stillcast.CodeOf(err) == stillcast.CodeConflict {
		return fmt.Errorf("%w; while a server runs, an admin can reset passwords in the console, under Accounts", err)
	}
	if err != nil {
		return fmt.Errorf("open the state: %w", err)
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	password, err := console.ResetPassword(ctx, store, c.Name)
	if stillcast.CodeOf(err) == stillcast.CodeNotFound {
		return errors.Join(err, listAccounts(ctx, store))
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(o.out, "The new password of %s, whose sessions have ended:\n\n  %s\n", c.Name, password)
	return nil
}

// listAccounts returns an error that says which accounts there are.
func listAccounts(ctx context.Context, store *sqlite.Store) error {
	all, err := store.ConsoleAccounts(ctx)
	if err != nil {
		return err
	}
	names := make([]string, len(all))
	for i, a := range all {
		names[i] = a.Name
	}
	if len(names) == 0 {
		return errors.New("there is no account yet; the first start of the server makes one")
	}
	return fmt.Errorf("the accounts are %s", strings.Join(names, ", "))
}
