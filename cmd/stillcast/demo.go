package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/app"
	"github.com/stillcast/stillcast/internal/config"
	"github.com/stillcast/stillcast/internal/console"
	"github.com/stillcast/stillcast/internal/receiver"
)

type demoCommand struct {
	Forever  bool          `help:"Go on until interrupted, instead of ending after --events verified events."`
	Events   int           `default:"15" help:"Verified events to end after."`
	Dir      string        `type:"path" placeholder:"DIR" help:"Folder for the pictures and everything else. Without this flag: a new one in the system's temporary folder."`
	Patience time.Duration `default:"15s" help:"How long to wait for the next event before giving up."`
}

// demo is one run of the command.
type demo struct {
	command  demoCommand
	out      output
	dir      string
	key      stillcast.Secret // of pushes
	hookKey  stillcast.Secret // of events
	began    time.Time
	received chan receiver.Received
}

// Run starts a server, a receiver and three publishers, and checks every event.
func (c demoCommand) Run(ctx context.Context, o output) (err error) {
	if c.Events < 1 {
		return fmt.Errorf("--events is %d; at least 1 is needed", c.Events)
	}
	if err := lookForFFmpeg(); err != nil {
		return err
	}
	d := &demo{
		command: c, out: o, began: time.Now(), received: make(chan receiver.Received, 64),
		key: stillcast.Secret(rand.Text()), hookKey: stillcast.Secret(rand.Text()),
	}
	if d.dir, err = c.folder(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := d.run(ctx); err != nil {
		return fmt.Errorf("%w\nthe server's log is %s", err, d.logPath())
	}
	return nil
}

func (c demoCommand) folder() (string, error) {
	if c.Dir == "" {
		return os.MkdirTemp("", "stillcast-demo-")
	}
	if err := os.MkdirAll(c.Dir, 0o750); err != nil {
		return "", fmt.Errorf("make the folder of the demo: %w", err)
	}
	return c.Dir, nil
}

func (d *demo) logPath() string { return filepath.Join(d.dir, "server.log") }

func (d *demo) run(ctx context.Context) (err error) {
	hooks, err := receiver.New(receiver.Options{
		Addr: "127.0.0.1:0", Keys: []string{d.hookKey.Reveal()}, FetchPictures: true,
		OnEvent: func(r receiver.Received) { d.received <- r },
	})
	if err != nil {
		return err
	}
	hooks.Start()
	defer func() { err = errors.Join(err, hooks.Stop(context.WithoutCancel(ctx))) }()

	server, closeLog, err := d.server(ctx, "http://"+hooks.Addr().String()+"/events")
	if err != nil {
		return err
	}
	defer closeLog()
	defer func() { err = errors.Join(err, server.Stop(context.WithoutCancel(ctx))) }()
	fmt.Fprintf(d.out.out, "server    rtmp://%s  pictures http://%s  metrics http://%s/metrics\n",
		server.RTMPAddr(), server.HTTPAddr(), server.OpsAddr())
	if url, password := server.ConsoleURL(); password != "" {
		fmt.Fprintf(d.out.out, "console   %s  account %s  password %s\n", url, console.FirstAccount, password.Reveal())
	}
	fmt.Fprintf(d.out.out, "receiver  http://%s/events\n", hooks.Addr())

	publishers := startSources(ctx, server.RTMPAddr().String(), d.key)
	defer publishers.stop()
	for _, s := range demoSources {
		fmt.Fprintf(d.out.out, "stream    %-9s %dx%d, H.264 pushed by ffmpeg, one picture every %s\n", s.name, s.width, s.height, demoInterval)
	}
	if err := d.watch(ctx, server, publishers); err != nil {
		return err
	}
	fmt.Fprintf(d.out.out, "pictures  %s\n", server.PicturesDir())
	return nil
}

const demoInterval = 2 * time.Second

func (d *demo) server(ctx context.Context, hook string) (*app.App, func(), error) {
	logFile, err := os.Create(d.logPath())
	if err != nil {
		return nil, nil, fmt.Errorf("make the server's log: %w", err)
	}
	closeLog := func() { _ = logFile.Close() } // everything that mattered was on the screen
	cfg := d.config(hook)
	server, err := app.New(ctx, app.Options{Config: cfg, Worker: worker(), Version: version, Logger: cfg.Log.Logger(logFile)})
	if err == nil {
		err = server.Start(ctx)
		if err != nil {
			err = errors.Join(err, server.Stop(ctx))
		}
	}
	if err != nil {
		closeLog()
		return nil, nil, fmt.Errorf("start the server: %w", err)
	}
	return server, closeLog, nil
}

func (d *demo) config(hook string) *config.Config {
	cfg := config.Default()
	cfg.DataDir = filepath.Join(d.dir, "data")
	cfg.PublicURL = "http://127.0.0.1:0"
	cfg.Listen = config.Listen{RTMP: "127.0.0.1:0", HTTP: "127.0.0.1:0", Ops: "127.0.0.1:0"}
	cfg.Callback.AllowNetworks = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	cfg.Resources = config.Resources{
		Domains:           []config.Domain{{Name: stillcast.AnyDomain, Auth: config.Auth{Enabled: true, Key: d.key}}},
		SnapshotTemplates: []config.SnapshotTemplate{{Name: "demo", Interval: demoInterval}},
		SnapshotRules:     []config.SnapshotRule{{Domain: stillcast.AnyDomain, App: "demo", Template: "demo"}},
		CallbackTemplates: []config.CallbackTemplate{{Name: "demo", Key: d.hookKey, SnapshotURL: hook}},
		CallbackRules:     []config.CallbackRule{{Domain: stillcast.AnyDomain, App: "demo", Template: "demo"}},
	}
	return &cfg
}
