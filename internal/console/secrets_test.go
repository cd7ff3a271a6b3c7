package console

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/ledger"
	"github.com/stillcast/stillcast/internal/state"
	"github.com/stillcast/stillcast/internal/state/sqlite"
)

// Every secret that is planted holds this word, unless it is one of plantedToo.
const planted = "hush"

const (
	plantedParam = "a=1&tx%53ecret=hush0f1e2d3c4b5a&txTime=5f5e1000&token=hush,publisher;b"
	plantedURL   = "https://user:hush-password@hooks.example.com/shot?token=hush-token&v=1"
	whsec        = "whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo="
)

// plantedToo are secrets in other spellings: of Basic authentication, and of an
// old signing secret.
func plantedToo() []string {
	return []string{"dXNlcjpodXNoLXBhc3N3b3Jk", strings.TrimPrefix(whsec, "whsec_")}
}

// everySecret is what a receiver could answer that gives away all that it knows.
func everySecret() string {
	return "Post \"" + plantedURL + "\": refused; Authorization: Basic " + plantedToo()[0] + " " + whsec + " sign hush-callback-key " +
		plantedParam + " hush0f1e2d3c4b5a hush-master-key hush-backup-key secret_key=hush-store"
}

func plantedResources() *stillcast.Resources {
	return stillcast.NewResources(stillcast.ResourceSet{
		Domains: []stillcast.Domain{{Name: "*", Auth: stillcast.PushAuth{Key: "hush-master-key", BackupKey: "hush-backup-key"}}},
		CallbackTemplates: []stillcast.CallbackTemplate{{
			ID: 3, Name: "hooks", Key: "hush-callback-key", SigningSecret: whsec, PreviousSecret: "whsec_hush", StreamBeginURL: plantedURL, SnapshotURL: plantedURL,
		}},
		CallbackRules: []stillcast.CallbackRule{{Domain: "*", TemplateID: 3}},
	})
}

// indiscreet is a courier that says all that it knows.
type indiscreet struct{ *sentNowhere }

func (c indiscreet) Request(d state.DeliveryStatus, _ state.Result) (*ledger.Request, error) {
	body, err := json.Marshal(map[string]string{"sign": "hush-sign", "stream_param": plantedParam, "note": everySecret(), "appname": "seen"})
	return ledger.NewRequest(plantedURL, http.Header{
		"Authorization": {"Basic hush"}, "X-Api-Key": {"hush"}, "Webhook-Signature": {"v1,hush"}, "Stillcast-Event-Id": {d.Event.ID}, "User-Agent": {"seen"},
	}, body), err
}

// plantedSystem is a server whose stores say what they should not.
type plantedSystem struct{ *fakeSystem }

func (s plantedSystem) Facts(ctx context.Context) (SystemFacts, error) {
	f, err := s.fakeSystem.Facts(ctx)
	f.Stores[0].Fault = everySecret()
	return f, err
}

// walk gets all pages that can be reached from some, and calls see with each.
func (b *browser) walk(see func(path string, a answered), from ...string) (n int) {
	b.t.Helper()
	seen := map[string]bool{}
	for len(from) > 0 {
		path := from[0]
		from = from[1:]
		if seen[path] {
			continue
		}
		seen[path] = true
		a := b.get(path)
		if a.status != http.StatusOK && !strings.HasPrefix(path, "deliveries/100") { // those of shots are made up
			b.t.Errorf("%s: status %d", path, a.status)
		}
		see(path, a)
		for _, link := range links(b.t, a.body) {
			u, err := url.Parse(link)
			if err != nil || !strings.HasPrefix(u.Path, Path) {
				continue
			}
			switch area, _, _ := strings.Cut(strings.TrimPrefix(u.Path, Path), "/"); area {
			case "stream", "deliveries", "destinations", "replays", "system":
				if !strings.HasSuffix(u.Path, "/drop") && !strings.HasSuffix(u.Path, "/forbid") && !strings.HasSuffix(u.Path, "/resume") && !strings.HasSuffix(u.Path, "/replay") &&
					!strings.HasSuffix(u.Path, "/pause") && !strings.HasSuffix(u.Path, "/test") && !strings.HasSuffix(u.Path, "/check") && !strings.HasSuffix(u.Path, "/cancel") {
					from = append(from, strings.TrimPrefix(link, Path))
				}
			}
		}
	}
	return len(seen)
}

// A viewer finds no secret on any page of streams, deliveries and the system,
// wherever it may have come to stand; an admin finds those that admins need.
func TestViewersSeeNoSecret(t *testing.T) {
	wall, streams := NewWall(), newFakeStreams()
	streams.resources = plantedResources()
	streams.refusal = everySecret()
	streams.addShots(3)
	streams.bans = []stillcast.Ban{{Stream: streamNamed("a"), Until: time.Now().Add(time.Hour), Reason: everySecret()}}
	p := pushOf("a")
	p.Param = plantedParam
	wall.Began(p, func() Video { return Video{} })
	d := &ledgerRig{}
	d.rig = newRig(t, func(o *Options) {
		store := o.Accounts.(*sqlite.Store)
		courier := indiscreet{&sentNowhere{store: store, health: map[stillcast.Destination]ledger.Health{beginsTo: {Attempts: 1, LastError: everySecret()}}}}
		d.ledger = addLedgerOf(t, o, courier, plantedResources)
		o.Wall, o.Streams, o.System = wall, streams, plantedSystem{newFakeSystem()}
	})
	for n := range 3 {
		d.owe(n, state.OutcomeParked, everySecret())
	}
	reply, err := json.Marshal(map[string]string{"echo": everySecret(), "Authorization": "hush"})
	if err != nil {
		t.Fatal(err)
	}
	d.owe(3, state.OutcomeDelivered, string(reply))
	if err := d.store.PauseDestination(t.Context(), beginsTo, everySecret()); err != nil {
		t.Fatal(err)
	}
	start := []string{pageOf("a", ""), "deliveries", "destinations", "replays", "system", "system/history"}
	viewer, admin := d.asViewer(), d.asAdmin()
	all := ""
	for _, part := range []string{"", "shot", "destination-health", "replay-jobs", "system-facts"} {
		if part != "" {
			viewer.header.Set("Hx-Request", "true")
			viewer.header.Set("Hx-Target", part)
		}
		n := viewer.walk(func(path string, a answered) {
			all += a.body
			for _, secret := range append(plantedToo(), planted) {
				if i := strings.Index(a.body, secret); i >= 0 {
					t.Errorf("/%s: a viewer sees …%s…", path, a.body[max(0, i-120):min(len(a.body), i+60)])
				}
			}
		}, start...)
		if part == "" && n < 20 {
			t.Errorf("only %d pages were looked at", n)
		}
	}
	for _, want := range []string{mask, "seen", "txTime=5f5e1000", "https://hooks.example.com/shot?" + mask, "POST https://hooks.example.com/shot", "Webhook-Signature"} {
		if !strings.Contains(all, want) {
			t.Errorf("a viewer does not see %q", want)
		}
	}
	all = ""
	admin.walk(func(_ string, a answered) { all += a.body }, start...)
	for _, want := range []string{"hush0f1e2d3c4b5a", "hush-sign", "Basic hush"} {
		if !strings.Contains(all, want) {
			t.Errorf("an admin does not see %q: this test would find nothing", want)
		}
	}
}
