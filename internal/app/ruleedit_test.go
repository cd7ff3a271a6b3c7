package app

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/capture"
	"github.com/stillcast/stillcast/internal/config"
	"github.com/stillcast/stillcast/internal/state"
	"github.com/stillcast/stillcast/internal/testkit"
)

// noted is a log that keeps what the capture says of templates.
type noted struct {
	slog.Handler

	mu    sync.Mutex
	lines []string // the message and the template
}

func (n *noted) Enabled(context.Context, slog.Level) bool { return true }

func (n *noted) WithAttrs([]slog.Attr) slog.Handler { return n }

func (n *noted) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "template" {
			n.mu.Lock()
			n.lines = append(n.lines, r.Message+": "+a.Value.String())
			n.mu.Unlock()
		}
		return true
	})
	return nil
}

func (n *noted) said() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.lines)
}

// twoTemplates lets the rule's template be changed to another.
func twoTemplates(cfg *config.Config) *config.Config {
	second := cfg.Resources.SnapshotTemplates[0]
	second.Name, second.Width, second.Interval = "second", 160, 3*time.Second
	cfg.Resources.SnapshotTemplates = append(cfg.Resources.SnapshotTemplates, second)
	return cfg
}

// useTemplate gives the snapshot rule of all streams another template.
func useTemplate(t *testing.T, a *App, name string) {
	t.Helper()
	all := a.Resources().SnapshotTemplates()
	i := slices.IndexFunc(all, func(t stillcast.SnapshotTemplate) bool { return t.Name == name })
	_, _, err := control{a}.EditSnapshotRule(t.Context(), stillcast.AnyDomain, "", "", func(r *stillcast.SnapshotRule) error {
		r.TemplateID = all[i].ID
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestRuleChangeActsAtOnce: when the change of a rule is answered, its live streams
// have the other template, and nothing waited for anything on the way: on the clock of
// the test, which stands still while there is something to do, no time has passed.
func TestRuleChangeActsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &noted{Handler: slog.DiscardHandler}
		a := &App{
			opts: Options{Config: twoTemplates(testConfig(t.TempDir(), "")), Version: "test"},
			log:  slog.New(log), registry: prometheus.NewRegistry(),
		}
		defer func() {
			if err := a.Stop(context.Background()); err != nil {
				t.Error(err)
			}
		}()
		for _, part := range []func(context.Context) error{a.makeState, a.makeTasks} {
			if err := part(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		var err error
		if a.capture, err = capture.New(capture.Options{
			Config: capture.DefaultConfig(), Workers: 1, Decoders: 1, MaxUnits: 1, MaxUnitBytes: 1,
			Plans: a.plans, Logger: a.log, Registerer: a.registry,
		}); err != nil {
			t.Fatal(err)
		}
		recorded := make(chan struct{})
		close(recorded)
		stream := a.capture.Open(stillcast.Push{
			ID: "push", Domain: stillcast.AnyDomain, Stream: stillcast.Stream{Domain: "d", App: "live", Name: "cam"},
		}, recorded)
		defer stream.Close()

		began := time.Now()
		useTemplate(t, a, "second")
		if said, want := log.said(), []string{"snapshot template in force: t", "snapshot template in force: second"}; !slices.Equal(said, want) {
			t.Errorf("when the change was answered the capture had said %q, want %q", said, want)
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("the change waited %s before it acted", took)
		}
		// What is refused changes nothing.
		errRefused := errors.New("no")
		if _, _, err := (control{a}).EditSnapshotRule(t.Context(), stillcast.AnyDomain, "", "", func(r *stillcast.SnapshotRule) error {
			r.TemplateID = 1
			return errRefused
		}); !errors.Is(err, errRefused) {
			t.Errorf("a refused change: %v", err)
		}
		if plans := a.plans(stillcast.Push{Domain: stillcast.AnyDomain}); len(plans) != 1 || plans[0].Template.Name != "second" || len(log.said()) != 2 {
			t.Errorf("after it the plans are %+v, the capture said %q", plans, log.said())
		}
	})
}

// TestRuleChangesOnALivePush changes the rules of a live push back and forth. All its
// shots stand on one grid in the interval of the template in force, which a rule that
// was deleted and made anew would have begun anew with a shot more; and each shot has
// its event, which goes to the one receiver or the other.
func TestRuleChangesOnALivePush(t *testing.T) {
	h := newHooks(t)
	cfg := twoTemplates(testConfig(t.TempDir(), h.URL))
	hooks := cfg.Resources.CallbackTemplates[0]
	hooks.Name = "others"
	cfg.Resources.CallbackTemplates = append(cfg.Resources.CallbackTemplates, hooks)
	a := startApp(t, cfg)
	testkit.PushFFmpeg(t, pushURL(a.RTMPAddr(), "cam"), testkit.Source{Width: 320, Height: 180, Rate: 25},
		testkit.Encoding{KeyFrames: time.Second, Duration: time.Minute})
	h.shot()
	templates := a.Resources().CallbackTemplates()
	for i, name := range []string{"second", "t", "second"} {
		useTemplate(t, a, name)
		if _, _, err := (control{a}).EditCallbackRule(t.Context(), stillcast.AnyDomain, "", func(r *stillcast.CallbackRule) error {
			r.TemplateID = templates[(i+1)%2].ID
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		h.shot()
	}
	shots, err := a.state.Shots(t.Context(), state.ShotFilter{})
	if err != nil {
		t.Fatal(err)
	}
	sizes := map[int]time.Duration{320: 2 * time.Second, 160: 3 * time.Second}
	for i, s := range shots {
		if i == 0 {
			continue
		}
		after := s.Due.Sub(shots[i-1].Due)
		if interval := sizes[s.Width]; interval == 0 || after < interval || after%interval != 0 {
			t.Errorf("shot %d, %d wide, was due %s after the one before; want a multiple of the interval of its template", i, s.Width, after)
		}
	}
	if len(shots) < 4 || shots[0].Width != 320 || !slices.ContainsFunc(shots, func(s state.ShotStatus) bool { return s.Width == 160 }) {
		t.Errorf("%d shots are of %+v", len(shots), shots)
	}
	deliveries, err := a.state.Deliveries(t.Context(), state.DeliveryFilter{})
	if err != nil {
		t.Fatal(err)
	}
	to := map[int64]int{}
	for _, s := range shots {
		n := 0
		for _, d := range deliveries {
			if d.Event.ID == s.EventID {
				to[d.Destination.TemplateID]++
				n++
			}
		}
		if n != 1 {
			t.Errorf("shot %d is owed to %d receivers, want one", s.ID, n)
		}
	}
	if len(to) != 2 {
		t.Errorf("receivers by template: %v, want both", to)
	}
}
