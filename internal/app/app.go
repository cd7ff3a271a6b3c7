// Package app wires Stillcast: it makes every part from the configuration, in
// the order in which they need each other, and takes them down in reverse.
//
// [New] binds the listeners and serves nothing, [App.Start] serves, [App.Stop]
// drains. It is the one package that knows all others.
package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/api"
	"github.com/stillcast/stillcast/internal/capture"
	"github.com/stillcast/stillcast/internal/codec"
	"github.com/stillcast/stillcast/internal/config"
	"github.com/stillcast/stillcast/internal/console"
	"github.com/stillcast/stillcast/internal/ingest"
	"github.com/stillcast/stillcast/internal/ingest/rtmp"
	"github.com/stillcast/stillcast/internal/ledger"
	"github.com/stillcast/stillcast/internal/notify"
	"github.com/stillcast/stillcast/internal/spool"
	"github.com/stillcast/stillcast/internal/state/sqlite"
)

// DrainTime is how long [App.Stop] takes at most before it gives up on what
// can be done by the next start as well.
const DrainTime = 10 * time.Second

// Options are what an [App] is made from; all are required.
type Options struct {
	Config *config.Config
	// Worker is the program of the codec worker processes.
	Worker  codec.Program
	Version string
	Logger  *slog.Logger
}

// App is one Stillcast server.
type App struct {
	opts       Options
	log        *slog.Logger
	began      time.Time
	registry   *prometheus.Registry
	resources  atomic.Pointer[stillcast.Resources]
	refreshing sync.Mutex // held while resources are read, so that what was read first never comes last

	state    *sqlite.Store
	pictures *places
	checks   storeChecks
	codec    *codec.Pool
	notifier *notify.Notifier
	previous previous
	uploader *spool.Uploader
	quota    *spool.Quota
	chores   *chores
	tasks    *tasks
	capture  *capture.Engine
	gate     *ingest.Gate
	rtmp     *rtmp.Server
	api      *api.Server
	ledger   *ledger.Server
	wall     *console.Wall
	console  *console.Console // nil where it is turned off
	http     *httpServer
	ops      *httpServer

	banning        sync.Mutex     // so that bans that were read first never come last
	credential     api.Credential // the control API's own, if it has one
	credentialMade bool           // by this start

	ready    atomic.Bool   // pushes are taken
	stopping atomic.Bool   // Stop was called
	captured chan struct{} // closed when no shot will be recorded any more
	started  bool          // Start succeeded
	failed   chan error
	steps    []step // taken down from the last to the first
	stopOnce sync.Once
	stopErr  error
}

// step is one named part of the teardown.
type step struct {
	name string
	stop func(context.Context) error
}

func (a *App) onStop(name string, stop func(context.Context) error) {
	a.steps = append(a.steps, step{name, stop})
}

// New makes the parts and binds the listeners. On an error everything that was
// made is taken down again.
func New(ctx context.Context, opts Options) (*App, error) {
	a := &App{opts: opts, log: opts.Logger, began: time.Now(), registry: prometheus.NewRegistry(), wall: console.NewWall(), failed: make(chan error, 4), captured: make(chan struct{})}
	a.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if err := a.make(ctx); err != nil {
		return nil, errors.Join(err, a.Stop(ctx))
	}
	return a, nil
}

// make runs in the order of dependence: whoever is called by another part is
// made before it, and so is stopped after it.
func (a *App) make(ctx context.Context) error {
	for _, part := range []func(context.Context) error{
		a.makeState, a.makeHTTP, a.makeAPI, a.makePictures, a.makeNotifier, a.makeUploader, a.makeChores,
		a.makeCodec, a.makeTasks, a.makeCapture, a.makeIngest, a.makeLedger, a.makeConsole,
	} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (a *App) logger(component string) *slog.Logger { return a.log.With("component", component) }

func (a *App) makeState(ctx context.Context) error {
	cfg := sqlite.DefaultConfig()
	cfg.Path = filepath.Join(a.opts.Config.DataDir, "stillcast.db")
	store, err := sqlite.Open(ctx, cfg, a.logger("state"), a.registry)
	if err != nil {
		return fmt.Errorf("open the state: %w", err)
	}
	a.state = store
	a.onStop("state", func(context.Context) error { return store.Close() })
	if err := a.Apply(ctx, a.opts.Config.Resources.Declaration()); err != nil {
		return err
	}
	// Those that were made by the API, of a mirror that is no more.
	if err := a.checkMirrors(a.Resources().Set().SnapshotTemplates); err != nil {
		return fmt.Errorf("%w; put the mirror back, or declare the template without it under resources.snapshot_templates", err)
	}
	return nil
}

func (a *App) makeHTTP(ctx context.Context) error {
	cfg := a.opts.Config.Listen
	var err error
	if a.http, err = newHTTPServer(ctx, "listen.http", cfg.HTTP, a.logger("http")); err != nil {
		return err
	}
	a.http.takeURLsAsHosts()
	a.onStop("http", a.http.stop)
	if a.ops, err = newHTTPServer(ctx, "listen.ops", cfg.Ops, a.logger("ops")); err != nil {
		return err
	}
	a.onStop("ops", a.ops.stop)
	a.ops.handle(a.opsHandler())
	return nil
}

func (a *App) makePictures(context.Context) error {
	places, err := openPlaces(a.opts.Config, publicURL(a.opts.Config.PublicURL, a.http.addr()))
	if err != nil {
		return err
	}
	a.pictures = places
	a.onStop("pictures", func(context.Context) error { return places.close() })
	handler, err := a.publicHandler()
	if err != nil {
		return err
	}
	a.http.handle(handler)
	return nil
}

func (a *App) makeNotifier(context.Context) error {
	n, err := notify.New(notify.Options{
		Config: a.opts.Config.Callback, Ledger: a.state, Settings: settings{a}, Pictures: a.pictures,
		Version: a.opts.Version, Logger: a.logger("notify"), Metrics: a.registry,
	})
	if err != nil {
		return fmt.Errorf("make the notifier: %w", err)
	}
	a.notifier = n
	a.onStop("deliveries", n.Stop)
	return nil
}

func (a *App) makeUploader(context.Context) error {
	primary, mirrors := a.pictures.stores()
	var err error
	if a.quota, err = spool.NewQuota(spool.QuotaOptions{
		Config: a.opts.Config.Storage.Spool, Spool: a.state, Dropped: func(id int64) { a.uploader.Dropped(id) },
		Logger: a.logger("spool"), Registerer: a.registry,
	}); err != nil {
		return fmt.Errorf("make the quota of the spool: %w", err)
	}
	u, err := spool.New(spool.Options{
		Config: a.opts.Config.Storage.Upload, Primary: primary, Mirrors: mirrors,
		Ledger: a.state, Stats: a.state.SpoolStats,
		Stored: func(d []stillcast.Destination) { a.notifier.Wake(d...) },
		Logger: a.logger("spool"), Registerer: a.registry,
	})
	if err != nil {
		return fmt.Errorf("make the uploader: %w", err)
	}
	a.uploader = u
	a.onStop("spool", func(ctx context.Context) error {
		defer u.Stop()
		if !a.started {
			return nil // nobody works on it
		}
		return u.Drain(ctx)
	})
	return nil
}

func (a *App) makeCodec(context.Context) error {
	pool, err := codec.NewPool(a.opts.Config.Codec, a.opts.Worker, a.logger("codec"), a.registry)
	if err != nil {
		return fmt.Errorf("make the codec workers: %w", err)
	}
	a.codec = pool
	a.onStop("codec workers", func(context.Context) error { return pool.Close() })
	return nil
}

func (a *App) makeCapture(context.Context) error {
	decoders := cmp.Or(a.opts.Config.Codec.Workers, runtime.NumCPU())
	engine, err := capture.New(capture.Options{
		Config: a.opts.Config.Capture,
		// More than there are codec workers: while a shot waits for its commit,
		// its codec worker makes the next.
		Workers:  2 * decoders,
		Decoders: decoders,
		MaxUnits: codec.MaxUnits, MaxUnitBytes: a.opts.Config.Codec.MaxUnitBytes,
		Plans: a.plans, Shoot: a.shoot, Room: a.quota.Room, Record: a.record, NoPicture: noPicture, Poison: poison,
		Logger: a.logger("capture"), Registerer: a.registry,
	})
	if err != nil {
		return fmt.Errorf("make the capture: %w", err)
	}
	a.capture = engine
	// After the capture, so that the last event of a push is its end.
	a.onStop("ends of pushes", func(ctx context.Context) error {
		if a.gate == nil {
			return nil
		}
		return a.gate.Close(ctx)
	})
	a.onStop("capture", func(ctx context.Context) error {
		defer close(a.captured)
		engine.Stop(ctx)
		return nil
	})
	return nil
}

func (a *App) makeIngest(ctx context.Context) error {
	a.gate = ingest.NewGate(ingest.GateOptions{
		Config:    a.opts.Config.Ingest.Gate,
		Resources: a.resources.Load, Journal: journal{a}, Supports: codec.Supported,
		Exception: journal{a}.exception,
		Open:      a.openPush,
		Logger:    a.logger("ingest"), Registerer: a.registry,
	})
	cfg := a.opts.Config.Ingest.RTMP
	cfg.Listen, cfg.ListenTLS = a.opts.Config.Listen.RTMP, a.opts.Config.Listen.RTMPS
	server, err := rtmp.New(ctx, cfg, a.gate, a.logger("rtmp"), a.registry)
	if err != nil {
		return err
	}
	a.rtmp = server
	a.onStop("rtmp", server.Shutdown)
	return nil
}

// Start serves: first what a crash left behind, then publishers.
func (a *App) Start(ctx context.Context) error {
	if err := a.codec.Start(ctx); err != nil {
		return fmt.Errorf("start the codec workers: %w", err)
	}
	if err := a.notifier.Start(ctx); err != nil {
		return fmt.Errorf("start the deliveries: %w", err)
	}
	if err := a.reconcile(ctx); err != nil {
		return err
	}
	a.uploader.Start()
	a.startChores()
	a.capture.Start()
	if err := a.endLostPushes(ctx); err != nil {
		return err
	}
	if err := a.tasks.start(ctx); err != nil {
		return err
	}
	if err := a.reloadBans(ctx); err != nil {
		return err
	}
	a.http.start(a.fail)
	a.ops.start(a.fail)
	serve := make(chan struct{})
	go func() {
		defer close(serve)
		if err := a.rtmp.Serve(context.WithoutCancel(ctx)); err != nil {
			a.fail(fmt.Errorf("serve rtmp: %w", err))
		}
	}()
	a.onStop("rtmp listener", func(stop context.Context) error {
		err := a.rtmp.Shutdown(stop)
		<-serve
		return err
	})
	a.started = true
	a.ready.Store(true)
	return nil
}

func (a *App) fail(err error) {
	select {
	case a.failed <- err:
	default:
	}
}

// Failed gives the error of a listener that broke; the app should be stopped.
func (a *App) Failed() <-chan error { return a.failed }

// Stop takes everything down: no new pushes, shots in the making finished,
// pictures stored, attempts ended. It takes at most [DrainTime] or as long as
// ctx allows; what is left is on disk for the next start. More calls return
// what the first did.
func (a *App) Stop(ctx context.Context) error {
	a.stopOnce.Do(func() {
		a.stopping.Store(true)
		a.ready.Store(false) // load balancers look elsewhere while this drains
		drain, cancel := context.WithTimeoutCause(ctx, DrainTime, errors.New("the time to drain passed"))
		defer cancel()
		var errs []error
		for _, s := range slices.Backward(a.steps) {
			if err := s.stop(drain); err != nil {
				errs = append(errs, fmt.Errorf("stop %s: %w", s.name, err))
			}
		}
		a.stopErr = errors.Join(errs...)
	})
	return a.stopErr
}

// RTMPAddr returns the address that publishers are accepted on.
func (a *App) RTMPAddr() net.Addr { return a.rtmp.Addr() }

// RTMPSAddr returns the address that publishers are accepted on over TLS, nil for
// none.
func (a *App) RTMPSAddr() net.Addr { return a.rtmp.TLSAddr() }

// HTTPAddr returns the address of local pictures, the control API and the console.
func (a *App) HTTPAddr() net.Addr { return a.http.addr() }

// OpsAddr returns the address of metrics and health.
func (a *App) OpsAddr() net.Addr { return a.ops.addr() }

// PicturesDir returns the folder of the pictures.
func (a *App) PicturesDir() string { return picturesDir(a.opts.Config) }
