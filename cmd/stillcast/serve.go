package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"reflect"
	"syscall"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/app"
	"github.com/stillcast/stillcast/internal/codec"
	"github.com/stillcast/stillcast/internal/config"
)

const defaultConfig = "stillcast.yaml"

type serveCommand struct {
	Config string `placeholder:"FILE" help:"Configuration file. Without this flag: ${default_config}, which is made with a new push key if it is missing."`
}

// Run serves until a signal comes: SIGTERM or SIGINT drain and end it, SIGHUP
// applies the resources of the file again.
func (c serveCommand) Run(ctx context.Context, o output) error {
	path, key, err := c.file()
	if err != nil {
		return err
	}
	cfg, err := config.Load(path)
	if err != nil {
		return err
	}
	log := cfg.Log.Logger(o.err)
	server, err := app.New(ctx, app.Options{Config: cfg, Worker: worker(), Version: version, Logger: log})
	if err != nil {
		return err
	}
	if err := server.Start(ctx); err != nil {
		return errors.Join(err, server.Stop(context.WithoutCancel(ctx)))
	}
	log.Info("serving", "version", version, "config", path, "rtmp", server.RTMPAddr(), "http", server.HTTPAddr(), "ops", server.OpsAddr())
	if key != "" {
		greet(o, path, key, server.RTMPAddr())
	}
	if len(server.Resources().Set().Domains) == 0 {
		log.Warn("no push domain is set up, so every push is refused; add one under resources.domains", "config", path)
	}
	err = c.wait(ctx, path, cfg, server, log)
	log.Info("draining", "at_most", app.DrainTime)
	err = errors.Join(err, server.Stop(context.WithoutCancel(ctx)))
	log.Info("stopped")
	return err
}

// file returns the path of the configuration and, when it was just made, the
// push key in it.
func (c serveCommand) file() (path string, key stillcast.Secret, err error) {
	if c.Config != "" {
		return c.Config, "", nil
	}
	key = stillcast.Secret(rand.Text())
	f, err := os.OpenFile(defaultConfig, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return defaultConfig, "", nil
	}
	if err != nil {
		return "", "", fmt.Errorf("make a first configuration: %w; name one that exists with --config", err)
	}
	_, err = f.Write(config.FirstRun(key))
	if err = errors.Join(err, f.Close()); err != nil {
		return "", "", fmt.Errorf("make a first configuration: %w", errors.Join(err, os.Remove(defaultConfig)))
	}
	return defaultConfig, key, nil
}

// greet tells a new user how to push.
func greet(o output, path string, key stillcast.Secret, addr net.Addr) {
	base := "rtmp://" + addr.String() + "/live"
	name := "first?" + stillcast.PushParam(key, "first", time.Now().Add(30*24*time.Hour))
	fmt.Fprintf(o.out, `
%s was not there; it is now, with a new push key. Push a stream (valid for 30 days):

  ffmpeg   ffmpeg -re -i VIDEO -c:v libx264 -g 50 -c:a aac -f flv '%s/%s'
  OBS      Server      %s
           Stream key  %s

More push URLs: stillcast sign-push-url %s/NAME

`, path, base, name, base, name, base)
}

func (c serveCommand) wait(ctx context.Context, path string, cfg *config.Config, server *app.App, log *slog.Logger) error {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-server.Failed():
			return err
		case <-hup:
			if err := reload(ctx, path, cfg, server, log); err != nil {
				log.Error("reload failed; everything goes on as before", "config", path, "error", err)
			}
		}
	}
}

func reload(ctx context.Context, path string, running *config.Config, server *app.App, log *slog.Logger) error {
	fresh, err := config.Load(path)
	if err != nil {
		return err
	}
	if err := server.Apply(ctx, fresh.Resources.Declaration()); err != nil {
		return err
	}
	settings := *fresh
	settings.Resources = running.Resources
	if !reflect.DeepEqual(settings, *running) {
		log.Warn("settings other than resources changed; they act after a restart", "config", path)
	}
	log.Info("resources reloaded", "config", path)
	return nil
}

// worker is this program, started again as a codec worker.
func worker() codec.Program {
	return codec.Program{Path: "/proc/self/exe", Args: []string{"codec-worker"}}
}

type codecWorkerCommand struct{}

// Run works for the server that started it until that goes away.
func (codecWorkerCommand) Run() error { return codec.RunWorker() }
