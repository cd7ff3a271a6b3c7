package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"reflect"
	"sync"
	"syscall"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/api"
	"github.com/stillcast/stillcast/internal/app"
	"github.com/stillcast/stillcast/internal/codec"
	"github.com/stillcast/stillcast/internal/config"
	"github.com/stillcast/stillcast/internal/console"
	"github.com/stillcast/stillcast/internal/procs"
)

const defaultConfig = "stillcast.yaml"

type serveCommand struct {
	Config string `placeholder:"FILE" help:"Configuration file. Without this flag: ${default_config}, which is made with a new push key if it is missing."`
}

// Help is the end of the command's help.
func (serveCommand) Help() string {
	return "SIGHUP reads the file again and applies its resources; what is wrong with it is logged and changes nothing. " +
		"SIGTERM and SIGINT end it: shots under way are finished and stored, which takes at most " + app.DrainTime.String() +
		"; a second one ends it at once. Nothing that was taken is lost either way."
}

// Run serves until a signal ends it.
func (c serveCommand) Run(ctx context.Context, o output) error {
	withTimerSlack()
	path, key, err := c.file()
	if err != nil {
		return err
	}
	if key != "" {
		fmt.Fprintf(o.out, "%s was not there; it is now, with a new push key\n", path)
	}
	cfg, err := config.Load(path)
	if err != nil {
		return err
	}
	s := service{path: path, key: key, config: cfg, out: o.out, log: cfg.Log.Logger(o.err)}
	slog.SetDefault(s.log) // for what libraries log without being asked
	return s.run(ctx)
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

// service is one run of the server.
type service struct {
	path   string           // of the configuration
	key    stillcast.Secret // of pushes, when the configuration was just made, else ""
	config *config.Config
	out    io.Writer
	log    *slog.Logger
}

// run serves until ctx ends, and applies the resources of the file again on SIGHUP.
func (s *service) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	var following sync.WaitGroup
	following.Go(func() { procs.Follow(ctx) })
	defer func() {
		cancel()
		following.Wait()
	}()
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP) // before the start, which a SIGHUP would end otherwise
	defer signal.Stop(hup)
	server, err := app.New(ctx, app.Options{Config: s.config, Worker: worker(), Version: version, Logger: s.log})
	if err != nil {
		return err
	}
	if err := server.Start(ctx); err != nil {
		return errors.Join(err, server.Stop(context.WithoutCancel(ctx)))
	}
	s.log.Info("serving", "version", version, "config", s.path,
		"rtmp", server.RTMPAddr(), "http", server.HTTPAddr(), "ops", server.OpsAddr())
	if credential, made := server.Credential(); made {
		s.introduce(credential)
	}
	if url, password := server.ConsoleURL(); password != "" {
		s.open(url, password)
	}
	if s.key != "" {
		s.greet(server)
	}
	if len(server.Resources().Set().Domains) == 0 {
		s.log.Warn("no push domain is set up, so every push is refused; add one under resources.domains", "config", s.path)
	}
	err = s.wait(ctx, server, hup)
	s.log.Info("draining", "at_most", app.DrainTime)
	err = errors.Join(err, server.Stop(context.WithoutCancel(ctx)))
	s.log.Info("stopped")
	return err
}

// introduce tells the credential that the first start made, once.
func (s *service) introduce(c api.Credential) {
	fmt.Fprintf(s.out, `
The control API has a new credential, which is kept in %s:

  SecretId   %s
  SecretKey  %s

`, filepath.Join(s.config.DataDir, api.CredentialFile), c.SecretID, c.SecretKey.Reveal())
}

// open tells the password of the console's first account, which is nowhere else.
func (s *service) open(url string, password stillcast.Secret) {
	fmt.Fprintf(s.out, `
The console has its first account. The password is not shown again:

  Console   %s
  Account   %s
  Password  %s

`, url, console.FirstAccount, password.Reveal())
}

// greet tells a new user how to push.
func (s *service) greet(server *app.App) {
	base := "rtmp://" + server.RTMPAddr().String() + "/live"
	name := "first?" + stillcast.PushParam(s.key, "first", time.Now().Add(30*24*time.Hour))
	fmt.Fprintf(s.out, `
Push a stream (valid for 30 days):

  ffmpeg   ffmpeg -re -i VIDEO -c:v libx264 -g 50 -c:a aac -f flv '%s/%s'
  OBS      Server      %s
           Stream key  %s

Its pictures:    %s
More push URLs:  stillcast sign-push-url %s/NAME

`, base, name, base, name, server.PicturesDir(), base)
}

func (s *service) wait(ctx context.Context, server *app.App, hup <-chan os.Signal) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-server.Failed():
			return err
		case <-hup:
			if err := s.reload(ctx, server); err != nil {
				s.log.Error("reload failed; everything goes on as before", "config", s.path, "error", err)
			}
		}
	}
}

func (s *service) reload(ctx context.Context, server *app.App) error {
	fresh, err := config.Load(s.path)
	if err != nil {
		return err
	}
	if err := server.Apply(ctx, fresh.Resources.Declaration()); err != nil {
		return err
	}
	settings := *fresh
	settings.Resources = s.config.Resources
	if !reflect.DeepEqual(settings, *s.config) {
		s.log.Warn("settings other than resources changed; they act after a restart", "config", s.path)
	}
	s.log.Info("resources reloaded", "config", s.path)
	return nil
}

// worker is this program, started again as a codec worker.
func worker() codec.Program {
	return codec.Program{Path: "/proc/self/exe", Args: []string{"codec-worker"}}
}

type codecWorkerCommand struct{}

// Run works for the server that started it until that goes away.
func (codecWorkerCommand) Run() error { return codec.RunWorker() }
