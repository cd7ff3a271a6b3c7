package app

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stillcast/stillcast/internal/console"
	"github.com/stillcast/stillcast/internal/spool"
	"github.com/stillcast/stillcast/internal/trend"
)

// consoleSystem is what the console shows of the server itself.
type consoleSystem struct {
	*App

	sampler *trend.Sampler
}

// makeTrend makes what remembers how the server did.
func (a *App) makeTrend() (consoleSystem, error) {
	s, err := trend.New(trend.Options{
		Metrics: a.registry, Series: console.SystemSeries(), Every: console.SystemEvery, Keep: console.SystemKeep, Logger: a.logger("console"),
	})
	if err != nil {
		return consoleSystem{}, err
	}
	s.Start()
	a.onStop("memory of metrics", func(context.Context) error {
		s.Stop()
		return nil
	})
	return consoleSystem{App: a, sampler: s}, nil
}

// History is for the console.
func (s consoleSystem) History(after time.Time) trend.History { return s.sampler.History(after) }

// Settings is for the console.
func (s consoleSystem) Settings() ([]byte, error) { return s.opts.Config.Masked() }

// CheckStores is for the console.
func (s consoleSystem) CheckStores(ctx context.Context) { s.checkStores(ctx) }

// Facts is for the console.
func (s consoleSystem) Facts(ctx context.Context) (console.SystemFacts, error) {
	shots, size, err := s.state.SpoolStats(ctx)
	if err != nil {
		return console.SystemFacts{}, err
	}
	oldest, err := s.oldestSpooled(ctx)
	if err != nil {
		return console.SystemFacts{}, err
	}
	f := console.SystemFacts{
		Version: s.opts.Version, Go: runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH, PID: os.Getpid(),
		Started: s.began, Ready: s.ready.Load(), Live: len(s.gate.Live()), Listeners: s.listeners(),
		Spool: console.SystemSpool{
			Shots: shots, Bytes: size, Max: s.opts.Config.Storage.Spool.MaxBytes, Policy: string(s.opts.Config.Storage.Spool.Policy), Oldest: oldest,
		},
		Disk: diskOf(s.opts.Config.DataDir), Stores: s.storeFacts(),
	}
	for _, w := range s.codec.Workers() {
		f.Workers = append(f.Workers, console.SystemWorker{PID: w.PID, Started: w.Started, Shots: w.Shots, RSS: w.RSS, CPU: w.CPU})
	}
	return f, nil
}

// oldestSpooled is the age of the shot that waited longest to be stored, 0 for none.
func (s consoleSystem) oldestSpooled(ctx context.Context) (time.Duration, error) {
	page, err := s.state.SpoolPage(ctx, 0, 1)
	if err != nil || len(page) == 0 {
		return 0, err
	}
	return max(0, time.Since(page[0].Captured)), nil
}

func (s consoleSystem) listeners() []console.SystemListener {
	all := []console.SystemListener{{Name: "listen.rtmp", Address: s.RTMPAddr().String()}}
	if secure := s.RTMPSAddr(); secure != nil {
		all = append(all, console.SystemListener{Name: "listen.rtmps", Address: secure.String()})
	}
	return append(all,
		console.SystemListener{Name: "listen.http", Address: s.HTTPAddr().String()},
		console.SystemListener{Name: "listen.ops", Address: s.OpsAddr().String()})
}

// diskOf describes the file system of a folder, as far as it can be read.
func diskOf(folder string) console.SystemDisk {
	d := console.SystemDisk{Folder: folder}
	var stat unix.Statfs_t
	if err := unix.Statfs(folder, &stat); err == nil {
		size := uint64(stat.Bsize) //nolint:gosec // a size
		d.Free, d.Total = stat.Bavail*size, stat.Blocks*size
	}
	files, err := filepath.Glob(filepath.Join(folder, "stillcast.db*"))
	if err != nil {
		return d
	}
	for _, name := range files {
		if info, err := os.Stat(name); err == nil {
			d.Database += info.Size()
		}
	}
	return d
}

func (s consoleSystem) storeFacts() []console.SystemStore {
	breakers := s.uploader.Breakers()
	var all []console.SystemStore
	for _, p := range s.pictures.each() {
		store := console.SystemStore{Name: p.name, Type: p.typ, CanCheck: p.check != nil}
		if i := slices.IndexFunc(breakers, func(b spool.Breaker) bool { return b.Store == p.name }); i >= 0 {
			b := breakers[i]
			store.Failures, store.Open, store.Since, store.NextTry = b.Failures, b.Open, b.Since, b.NextTry
		}
		if c, ok := s.checks.of(p.name); ok {
			store.Checked, store.Fault, store.Do = c.at, c.fault, c.do
		}
		all = append(all, store)
	}
	return all
}

// storeChecks is what the last checks of the stores said.
type storeChecks struct {
	mu   sync.Mutex
	last map[string]storeCheck // by the store's name
}

type storeCheck struct {
	at        time.Time
	fault, do string // "" for none
}

// note remembers a check. The nil error is one that found nothing.
func (c *storeChecks) note(name string, err error) {
	check := storeCheck{at: time.Now()}
	if err != nil {
		check.fault, check.do = fmt.Sprint(err), whatToDo(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.last == nil {
		c.last = make(map[string]storeCheck)
	}
	c.last[name] = check
}

func (c *storeChecks) of(name string) (storeCheck, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	check, ok := c.last[name]
	return check, ok
}
