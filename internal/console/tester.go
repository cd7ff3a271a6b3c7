package console

import (
	"fmt"
	"html/template"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/callback"
	"github.com/stillcast/stillcast/internal/api"
	"github.com/stillcast/stillcast/internal/ingest"
)

// testerData is what the tester shows: what would become of a push, and why.
type testerData struct {
	URL, Server, Key, Size string // as they were typed
	Fault, Wrong           string // what is wrong, and in which field
	Asked                  bool

	Stream   stillcast.Stream
	Domain   string // the registered one that takes the push, "" for none
	Admitted bool
	Refused  string // what the publisher is told
	Code     string // of the stream-end error table of Tencent Cloud CSS
	Signed   string // words: which key signed the URL
	Expires  time.Time
	Live     bool // the push is live: it stands for the one that was asked for

	Snapshot, Callback []matched
	Picture            *sampledPicture
	NoPicture          string
	Requests           []sampledRequest
}

// matched is a rule that matches, in the order in which they are looked at.
type matched struct {
	Rule     string
	Query    template.URL // of the page of the rule
	Template string
	ID       int64 // of the template
	Wins     bool
	Why      string
}

// sampledPicture is what would be stored of a shot.
type sampledPicture struct {
	Bucket, Region, Key string
	Size                stillcast.Size
	URL                 string
	Renditions          []stillcast.Rendition
}

// sampledRequest is what would be sent for an event.
type sampledRequest struct {
	Event  stillcast.EventType
	Title  string
	URL    string
	Header []string // lines
	Body   string
	Fault  string // why none is sent
}

// defaultSource is the size of the video that the tester thinks of.
const defaultSource = "1920x1080"

func (v *view) testerPage() error { return v.page("tester", testerData{Size: defaultSource}) }

// testPushURL says what would become of a push with a URL.
func (v *view) testPushURL() error {
	form := v.r.PostForm
	d := testerData{
		URL: strings.TrimSpace(form.Get("url")), Server: strings.TrimSpace(form.Get("server")), Key: strings.TrimSpace(form.Get("key")),
		Size: strings.TrimSpace(form.Get("size")),
	}
	whole, field := d.URL, "url"
	if whole == "" && (d.Server != "" || d.Key != "") {
		whole, field = strings.TrimRight(d.Server, "/")+"/"+d.Key, "server"
	}
	_, u, err := ingest.SplitPushURL(whole)
	if err != nil {
		d.Wrong, d.Fault = field, err.Error()
		return v.pageWith(http.StatusUnprocessableEntity, "tester", d)
	}
	source, ok := api.ParseSize(d.Size)
	if !ok || source.Width == 0 || source.Height == 0 || source.Width > 1<<14 || source.Height > 1<<14 {
		if d.Fault, err = v.words.text("tester.bad_size"); err != nil {
			return err
		}
		d.Wrong = "size"
		return v.pageWith(http.StatusUnprocessableEntity, "tester", d)
	}
	if err := v.test(&d, u, source, time.Now()); err != nil {
		return err
	}
	return v.page("tester", d)
}

func (v *view) test(d *testerData, u ingest.PushURL, source stillcast.Size, now time.Time) error {
	d.Asked, d.Stream = true, u.Stream
	domain, refusal := v.opts.Rules.Ask(u, now)
	d.Domain, d.Admitted = domain.Name, refusal == nil
	if refusal != nil {
		d.Refused, d.Code = refusal.Error(), refusal.Code()
	}
	if domain.Name == "" {
		return nil
	}
	d.Signed, d.Expires = v.signedBy(domain.Auth, u)
	push, err := v.pushOf(d, domain, u, now)
	if err != nil {
		return err
	}
	r := v.opts.Rules.Resources()
	d.Snapshot, d.Callback = v.matchingSnapshot(r, push), v.matchingCallback(r, push)
	shot := v.samplePicture(d, push, source, now)
	for _, e := range []stillcast.EventType{stillcast.EventShot, stillcast.EventPushBegin, stillcast.EventPushEnd} {
		if e == stillcast.EventShot && d.Picture == nil {
			d.Requests = append(d.Requests, sampledRequest{Event: e, Title: v.words.texts["tester."+e.String()], Fault: d.NoPicture})
			continue
		}
		d.Requests = append(d.Requests, v.sampleRequest(push, e, shot, now))
	}
	return nil
}

// signedBy says which key of a domain signed a URL, in words, and until when a push
// may begin with it.
func (v *view) signedBy(auth stillcast.PushAuth, u ingest.PushURL) (who string, expires time.Time) {
	if auth.Disabled {
		return v.words.texts["tester.no_auth"], time.Time{}
	}
	for _, pair := range []struct {
		key  stillcast.Secret
		word string
	}{{auth.Key, "tester.master"}, {auth.BackupKey, "tester.backup"}} {
		// With one key alone and long ago, nothing but the signature can be wrong.
		if pair.key != "" && (stillcast.PushAuth{Key: pair.key}).Check(u.Stream.Name, u.Param, time.Time{}) == nil {
			return v.words.texts[pair.word], expiryOf(auth, u)
		}
	}
	return v.words.texts["tester.unsigned"], time.Time{}
}

// expiryOf is of a URL with a good signature.
func expiryOf(auth stillcast.PushAuth, u ingest.PushURL) time.Time {
	for pair := range strings.SplitSeq(u.Param, "&") {
		if value, ok := strings.CutPrefix(pair, "txTime="); ok {
			if at, err := strconv.ParseInt(value, 16, 64); err == nil {
				return time.Unix(at, 0).Add(auth.Delta)
			}
		}
	}
	return time.Time{}
}

// pushOf returns the push that the URL would begin; where its stream is live, the
// one that there is.
func (v *view) pushOf(d *testerData, domain stillcast.Domain, u ingest.PushURL, now time.Time) (stillcast.Push, error) {
	for _, p := range v.opts.Rules.Live() {
		if p.Stream == u.Stream {
			d.Live = true
			return p, nil
		}
	}
	id, err := uuid.NewV7()
	if err != nil {
		return stillcast.Push{}, fmt.Errorf("make a push id: %w", err)
	}
	p := stillcast.Push{
		ID: id.String(), Stream: u.Stream, Domain: domain.Name, Param: u.Param,
		Remote: netip.AddrPortFrom(v.from.addr, 0), Started: now,
	}
	if node, err := netip.ParseAddrPort(v.opts.Rules.Node()); err == nil {
		p.Node = node.Addr().Unmap().String()
	}
	return p, nil
}

func (v *view) matchingSnapshot(r *stillcast.Resources, p stillcast.Push) (all []matched) {
	for i, rule := range r.MatchingSnapshotRules(p.Domain, p.Stream) {
		t, _ := r.SnapshotTemplateByID(rule.TemplateID)
		all = append(all, matched{
			Rule: rule.Domain + "/" + anyOr(rule.App) + "/" + anyOr(rule.Stream), Query: ruleKeyOf(rule.Domain, rule.App, rule.Stream).query(),
			Template: t.Name, ID: t.ID, Wins: i == 0, Why: v.why(i, rule.App != "", rule.Stream != ""),
		})
	}
	return all
}

func (v *view) matchingCallback(r *stillcast.Resources, p stillcast.Push) (all []matched) {
	for i, rule := range r.MatchingCallbackRules(p.Domain, p.Stream) {
		t, _ := r.CallbackTemplateByID(rule.TemplateID)
		all = append(all, matched{
			Rule: rule.Domain + "/" + anyOr(rule.App), Query: ruleKeyOf(rule.Domain, rule.App, "").query(),
			Template: t.Name, ID: t.ID, Wins: i == 0, Why: v.why(i, rule.App != "", false),
		})
	}
	return all
}

// why says how specific a rule is, which decides.
func (v *view) why(place int, app, stream bool) string {
	key := "rules.why_domain"
	switch {
	case app && stream:
		key = "rules.why_all"
	case stream:
		key = "rules.why_stream"
	case app:
		key = "rules.why_app"
	}
	text := v.words.texts[key]
	if place == 0 {
		return text + v.words.texts["rules.why_wins"]
	}
	return text + v.words.texts["rules.why_loses"]
}

// samplePicture says what would be stored of the first shot of a push.
func (v *view) samplePicture(d *testerData, p stillcast.Push, source stillcast.Size, now time.Time) stillcast.Shot {
	shot, url, err := v.opts.Rules.SampleShot(p, now, source)
	if err != nil {
		d.NoPicture = v.reasonOf(err, "tester.no_rule")
		return shot
	}
	d.Picture = &sampledPicture{
		Bucket: shot.Bucket, Region: shot.Region, Key: shot.Key, Size: stillcast.Size{Width: shot.Width, Height: shot.Height},
		URL: url, Renditions: shot.Renditions,
	}
	return shot
}

// reasonOf is an error in words. That there is nothing has words of its own.
func (v *view) reasonOf(err error, nothing string) string {
	if stillcast.CodeOf(err) == stillcast.CodeNotFound {
		return v.words.texts[nothing]
	}
	return err.Error()
}

func (v *view) sampleRequest(p stillcast.Push, e stillcast.EventType, shot stillcast.Shot, now time.Time) sampledRequest {
	s := sampledRequest{Event: e, Title: v.words.texts["tester."+e.String()]}
	made, err := v.opts.Rules.SampleRequest(p, e, shot, now)
	if err != nil {
		s.Fault = v.reasonOf(err, "tester.no_url")
		return s
	}
	s.URL, s.Body = made.URL, string(made.Body)
	secret := v.session.Role != RoleAdmin
	if secret {
		s.URL, s.Body = hideQuery(s.URL), hideSignature(s.Body, made.Sign)
	}
	names := make([]string, 0, len(made.Header))
	for name := range made.Header {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		value := strings.Join(made.Header[name], ", ")
		if secret && name == callback.HeaderWebhookSignature {
			value = "••••"
		}
		s.Header = append(s.Header, name+": "+value)
	}
	return s
}

// hideSignature hides from viewers what could be used: the push credential, and the
// signature, which is good for some minutes for any body.
func hideSignature(body, sign string) string {
	if sign != "" {
		body = strings.ReplaceAll(body, sign, "••••")
	}
	return regexp.MustCompile(`(?i)(txSecret=)[^&"\\]*`).ReplaceAllString(body, "$1••••")
}
