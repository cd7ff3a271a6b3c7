package console

import (
	"html"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/stillcast/stillcast"
)

// fullSnapshot is a template with no field at its zero value.
func fullSnapshot() stillcast.SnapshotTemplate {
	return stillcast.SnapshotTemplate{
		ID: 3, Name: "full", Description: "a <script>alert(1)</script> & \"more\"", Interval: 7 * time.Second, Width: 640, Height: 360,
		Bucket: "pictures", AppID: 1250000000, Region: "ap-guangzhou", Prefix: "/x/{AppName}", FileName: "{StreamID}{Ext}", Quality: 77,
		Accuracy: stillcast.AccuracyExact, Format: stillcast.FormatJPEG, Fit: stillcast.FitCover, Progressive: true, EXIF: true,
		Renditions: stillcast.Renditions{{Width: 320}, {Height: 100}}, SkipBlack: true, SkipUnchanged: true, Heartbeat: time.Minute,
		Facts: true, Mirror: "second", PornFlag: true,
	}
}

func snapshotFields() []string {
	return []string{
		"TemplateName", "full", "Description", "a <script>alert(1)</script> & \"more\"", "SnapshotInterval", "7", "Width", "640", "Height", "360",
		"CosBucket", "pictures", "CosAppId", "1250000000", "CosRegion", "ap-guangzhou", "CosPrefix", "/x/{AppName}", "CosFileName", "{StreamID}{Ext}",
		"StillcastQuality", "77", "StillcastAccuracy", "exact", "StillcastFormat", "jpeg", "StillcastFit", "cover", "StillcastProgressive", "1",
		"StillcastExif", "1", "StillcastRenditions", "320x0, 0x100", "StillcastSkipBlack", "1", "StillcastSkipUnchanged", "1",
		"StillcastHeartbeat", "60", "StillcastFacts", "1", "StillcastMirror", "second", "PornFlag", "1",
	}
}

func TestSnapshotTemplateGoesThroughTheForm(t *testing.T) {
	r, d := ruleRig(t)
	b := r.as("admin", r.admin)
	b.wantTo(b.post("rules/snapshot-template", append(snapshotFields(), "step", "save")...), Path+"rules?done=done.rules")
	want := fullSnapshot()
	check := func() {
		t.Helper()
		got, _ := d.Resources().SnapshotTemplateByID(3)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("the template differs: -want +got\n%s", diff)
		}
	}
	check()
	page := b.get("rules/snapshot-template?id=3")
	keepsValues(t, page.body, append([]string{"step", "save"}, snapshotFields()...))
	if strings.Contains(page.body, "<script>alert") {
		t.Error("a description became a script")
	}
	b.wantTo(b.save("rules/snapshot-template?id=3"), Path+"rules?done=done.rules") // nothing was changed
	check()
	want.Interval, want.Renditions, want.EXIF = 0, stillcast.Renditions{}, false
	fields := filled(page.body)
	i := slices.Index(fields, "StillcastExif")
	fields = slices.Delete(fields, i, i+2)
	b.wantTo(b.post("rules/snapshot-template?id=3", append(fields, "step", "save", "version", hiddenField(page.body, "version"),
		"SnapshotInterval", "", "StillcastRenditions", "")...), Path+"rules?done=done.rules")
	check()
	b.want(b.get("rules"), http.StatusOK, "a &lt;script&gt;alert(1)&lt;/script&gt;")
	for _, audited := range []string{"action=CreateLiveSnapshotTemplate", "action=ModifyLiveSnapshotTemplate", "account=admin"} {
		if !strings.Contains(r.log.String(), audited) {
			t.Errorf("the log lacks %s", audited)
		}
	}
}

func TestCallbackTemplateGoesThroughTheForm(t *testing.T) {
	r, d := ruleRig(t)
	b := r.as("admin", r.admin)
	const first, second = "whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo=", "whsec_WllYV1ZVVFNSUVBPTk1MS0pJSEdGRURDQkE="
	fields := []string{
		"TemplateName", "full", "Description", "all", "SnapshotNotifyUrl", "http://example.com/200?a=b", "StreamBeginNotifyUrl", "http://example.com/1",
		"StreamEndNotifyUrl", "http://example.com/0", "PushExceptionNotifyUrl", "http://example.com/321", "StillcastProfile", "standard",
		"StillcastRateLimit", "12", "StillcastExtras", "1", "StillcastRedactParam", "1", "RecordNotifyUrl", "http://example.com/r",
		"RecordStatusNotifyUrl", "http://example.com/rs", "PornCensorshipNotifyUrl", "http://example.com/p", "AudioAuditNotifyUrl", "http://example.com/aa",
		"RecordExceptionNotifyUrl", "http://example.com/re", "RecordExceptionLevels", "error, info", "StreamMixNotifyUrl", "http://example.com/m",
	}
	secrets := []string{"CallbackKey", "k<script>ey", "StillcastSigningSecret", first, "StillcastPreviousSecret", second}
	b.wantTo(b.post("rules/callback-template", slices.Concat(fields, secrets, []string{"step", "save"})...), Path+"rules?done=done.rules")
	want := stillcast.CallbackTemplate{
		ID: 3, Name: "full", Description: "all", Key: "k<script>ey", SnapshotURL: "http://example.com/200?a=b", StreamBeginURL: "http://example.com/1",
		StreamEndURL: "http://example.com/0", PushExceptionURL: "http://example.com/321", Profile: stillcast.ProfileStandard,
		SigningSecret: first, PreviousSecret: second, Extras: true, RedactParam: true, RateLimit: 12,
		Kept: stillcast.KeptCallbacks{
			RecordURL: "http://example.com/r", RecordStatusURL: "http://example.com/rs", CensorshipURL: "http://example.com/p",
			StreamMixURL: "http://example.com/m", AudioAuditURL: "http://example.com/aa", RecordExceptionURL: "http://example.com/re",
			RecordExceptionLevels: "error,info",
		},
	}
	check := func() {
		t.Helper()
		got, _ := d.Resources().CallbackTemplateByID(3)
		if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b stillcast.Secret) bool { return a.Reveal() == b.Reveal() })); diff != "" {
			t.Errorf("the template differs: -want +got\n%s", diff)
		}
	}
	check()
	page := b.get("rules/callback-template?id=3").body
	keepsValues(t, page, append([]string{"step", "save"}, fields...))
	for _, s := range []string{first, second, "k<script>ey", "k&lt;script"} {
		if strings.Contains(page, s) {
			t.Errorf("the form shows the secret %s", s)
		}
	}
	// Empty secrets stay as they are; a ticked box removes one.
	b.wantTo(b.save("rules/callback-template?id=3", "Description", "changed", "clear.StillcastPreviousSecret", "1"), Path+"rules?done=done.rules")
	want.Description, want.PreviousSecret = "changed", ""
	check()
	if strings.Contains(r.log.String(), first) || strings.Contains(r.log.String(), "k<script>") {
		t.Error("the log holds a secret")
	}
}

func TestDomainGoesThroughTheForm(t *testing.T) {
	r, d := ruleRig(t)
	b := r.as("admin", r.admin)
	b.wantTo(b.post("rules/domain", "step", "save", "DomainName", "NEW.example.com", "Enable", "1", "AuthDelta", "5", "PlayType", "2",
		"IsDelayLive", "1", "IsMiniProgramLive", "1", "Disabled", "1", "BackupAuthKey", "b"), Path+"rules?done=done.rules")
	got, _ := d.Resources().Domain("new.example.com")
	want := stillcast.Domain{
		Name: "new.example.com", Auth: stillcast.PushAuth{BackupKey: "b", Delta: 5 * time.Second}, Disabled: true,
		PlayType: 2, DelayLive: true, MiniProgram: true,
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(stillcast.Domain{}, "ID", "Created"), cmpopts.IgnoreFields(stillcast.PushAuth{}, "Key")); diff != "" {
		t.Errorf("the domain differs: -want +got\n%s", diff)
	}
	if len(got.Auth.Key.Reveal()) < 32 {
		t.Errorf("the key has %d bytes; one that nobody guesses was to be made", len(got.Auth.Key.Reveal()))
	}
	random := got.Auth.Key
	b.wantTo(b.save("rules/domain?name=new.example.com", "AuthDelta", "6", "clear.BackupAuthKey", "1"), Path+"rules?done=done.rules")
	got, _ = d.Resources().Domain("new.example.com")
	if got.Auth.Key != random || got.Auth.BackupKey != "" || got.Auth.Delta != 6*time.Second || !got.Disabled {
		t.Errorf("after a change it is %+v", got)
	}
	// A key that is required cannot be removed.
	a := b.save("rules/domain?name=new.example.com", "clear.MasterAuthKey", "1")
	if a.status != http.StatusUnprocessableEntity || !strings.HasPrefix(saidAt(a.body, "MasterAuthKey"), "MasterAuthKey: is empty; give a key") {
		t.Errorf("removing the key: %d, %s", a.status, saidAt(a.body, "MasterAuthKey"))
	}
	b.wantTo(b.post("rules/domain/delete?name=new.example.com", "version", hiddenField(b.get("rules/domain/delete?name=new.example.com").body, "version")),
		Path+"rules?done=done.rules_deleted")
	if found, _ := d.Resources().Domain("new.example.com"); found.Name != "*" {
		t.Errorf("the deleted domain is there: %+v", found)
	}
}

func TestViewersChangeNothing(t *testing.T) {
	r, d := ruleRig(t)
	b := r.as("viewer", r.viewer)
	before := d.Resources().Set()
	for _, kind := range []string{"domain", "snapshot-template", "snapshot-rule", "callback-template", "callback-rule"} {
		for _, path := range []string{"", "/delete", "/generate", "/reveal"} {
			for _, query := range []string{"", "?name=push.example.com", "?id=1", "?app=&domain=push.example.com&stream="} {
				b.want(b.post("rules/"+kind+path+query, "step", "save", "field", "CallbackKey"), http.StatusForbidden)
			}
		}
	}
	b.want(b.post("rules/push-url", "domain", "push.example.com", "app", "live", "stream", "a", "count", "1", "unit", "hours"), http.StatusForbidden)
	if !cmp.Equal(before, d.Resources().Set(), cmp.Comparer(func(a, b stillcast.Secret) bool { return a.Reveal() == b.Reveal() })) {
		t.Error("a viewer changed something")
	}
	page := b.get("rules/callback-template?id=1").body
	for _, hidden := range []string{"sign-key", "hush", `value="save"`, `type="password"`, "/delete", "/reveal"} {
		if strings.Contains(page, hidden) {
			t.Errorf("a viewer's page holds %s", hidden)
		}
	}
	if page := b.get("rules/domain?name=push.example.com").body; strings.Contains(page, "master-key") || strings.Contains(page, "backup-key") {
		t.Error("a viewer's page holds a push key")
	}
}

func TestSecretsAreShownWhenAskedFor(t *testing.T) {
	r, _ := ruleRig(t)
	b := r.as("admin", r.admin)
	if page := b.get("rules/domain?name=push.example.com").body; strings.Contains(page, "master-key") {
		t.Error("the form holds the key before it is asked for")
	}
	b.want(b.post("rules/domain/reveal?name=push.example.com", "field", "MasterAuthKey"), http.StatusOK, ">master-key</output>")
	b.want(b.post("rules/domain/reveal?name=push.example.com", "field", "AuthDelta"), http.StatusNotFound)
	if log := r.log.String(); !strings.Contains(log, `action="show secret"`) || strings.Contains(log, "master-key") {
		t.Error("the audit log lacks that a secret was shown, or holds it")
	}
	a := b.post("rules/callback-template/generate?id=1", "field", "StillcastSigningSecret")
	b.want(a, http.StatusOK, `id="f-StillcastSigningSecret-field"`)
	made := attribute(a.body[strings.Index(a.body, `<input id="f-StillcastSigningSecret"`):], "value")
	if _, err := stillcast.Secret(made).SigningKey(); err != nil {
		t.Errorf("the secret that was made: %v", err)
	}
	b.want(b.post("rules/callback-template/generate?id=1", "field", "StillcastPreviousSecret"), http.StatusNotFound)
}

func TestChangeShowsTheStreamsThatItTouches(t *testing.T) {
	r, d := ruleRig(t)
	b := r.as("admin", r.admin)
	const form = "rules/snapshot-template?id=1"
	page := b.get(form)
	fields := append(filled(page.body), "step", "save", "version", hiddenField(page.body, "version"), "SnapshotInterval", "20")
	a := b.post(form, fields...)
	b.want(a, http.StatusOK, "that this touches at once: 1", "push.example.com/live/b", "<td>10</td><td>20</td>", `value="20"`)
	if strings.Contains(a.body, "push.example.com/live/a<") || strings.Contains(a.body, "other.example.com") {
		t.Error("streams are shown that other rules are for")
	}
	if got, _ := d.Resources().SnapshotTemplateByID(1); got.Interval != 10*time.Second {
		t.Error("it was saved before it was confirmed")
	}
	// What was confirmed is what is saved: other values are shown first, again.
	seen := hiddenField(a.body, "seen")
	a = b.post(form, append(slices.Clone(fields), "seen", seen, "SnapshotInterval", "30")...)
	b.want(a, http.StatusOK, "<td>10</td><td>30</td>")
	b.wantTo(b.post(form, append(slices.Clone(fields), "seen", seen)...), Path+"rules?done=done.rules")
	if got, _ := d.Resources().SnapshotTemplateByID(1); got.Interval != 20*time.Second {
		t.Errorf("the interval is %s after it was confirmed", got.Interval)
	}
	// A description touches no stream.
	b.wantTo(b.post(form, append(filled(b.get(form).body), "step", "save", "version", hiddenField(b.get(form).body, "version"), "Description", "x")...),
		Path+"rules?done=done.rules")
	// Rules: another template, and none.
	b.want(b.post("rules/snapshot-rule", "step", "ask", "DomainName", "*", "TemplateId", "2"), http.StatusOK,
		"other.example.com/live/c", "<td>not captured</td><td>fast</td>")
	b.want(b.get("rules/snapshot-rule/delete?app=live&domain=push.example.com&stream=a"), http.StatusOK,
		"push.example.com/live/a", "<td>fast</td><td>wide</td>", "<td>2</td><td>20</td>")
	b.want(b.get("rules/callback-rule/delete?app=&domain=push.example.com&stream="), http.StatusOK,
		"that this touches at once: 2", "<td>hooks</td><td>no events</td>")
	page = b.get("rules/domain?name=push.example.com")
	b.want(b.post("rules/domain?name=push.example.com", append(filled(page.body), "step", "ask", "version", hiddenField(page.body, "version"), "Disabled", "1")...),
		http.StatusOK, "that this touches at once: 2", "<td>live</td><td>ends</td>")
	page = b.get("rules/callback-template?id=1")
	b.want(b.post("rules/callback-template?id=1", append(filled(page.body), "step", "ask", "version", hiddenField(page.body, "version"), "CallbackKey", "new-key")...),
		http.StatusOK, "that this touches at once: 2", "<td>••••</td><td>•••• (another one)</td>", `value="new-key"`)
}

func TestDisablingADomainEndsItsPushes(t *testing.T) {
	r, d := ruleRig(t)
	b := r.as("admin", r.admin)
	b.wantTo(b.save("rules/domain?name=push.example.com", "Disabled", "1"), Path+"rules?done=done.rules")
	if got, _ := d.Resources().Domain("push.example.com"); !got.Disabled || !slices.Equal(d.dropped, []string{"push.example.com"}) {
		t.Errorf("disabled %t, dropped %v", got.Disabled, d.dropped)
	}
}

func TestConcurrentChangeIsSeen(t *testing.T) {
	r, d := ruleRig(t)
	b := r.as("admin", r.admin)
	const form = "rules/snapshot-template?id=1"
	page := b.get(form)
	edit := func(seconds time.Duration) {
		t.Helper()
		if _, _, err := d.EditSnapshotTemplate(t.Context(), 1, func(s *stillcast.SnapshotTemplate) error {
			s.Interval = seconds * time.Second
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	edit(33)
	a := b.saveFrom(page, form, "Description", "mine")
	b.want(a, http.StatusConflict, "Somebody changed this after you opened it.", "Now: 33", `value="mine"`, `value="10"`)
	if got, _ := d.Resources().SnapshotTemplateByID(1); got.Interval != 33*time.Second || got.Description != "" {
		t.Errorf("it was overwritten: %+v", got)
	}
	// Who has seen it can save over it.
	b.wantTo(b.saveFrom(a, form), Path+"rules?done=done.rules")
	if got, _ := d.Resources().SnapshotTemplateByID(1); got.Interval != 10*time.Second || got.Description != "mine" {
		t.Errorf("after saving again it is %+v", got)
	}
	// So it is for rules, domains, and for what is to be deleted.
	const rule = "rules/snapshot-rule?app=&domain=push.example.com&stream="
	page = b.get(rule)
	if _, err := d.DeleteSnapshotRule(t.Context(), "push.example.com", "", ""); err != nil {
		t.Fatal(err)
	}
	if _, err := d.AddSnapshotRule(t.Context(), stillcast.SnapshotRule{Domain: "push.example.com", TemplateID: 2}); err != nil {
		t.Fatal(err)
	}
	b.want(b.saveFrom(page, rule, "TemplateId", "1"), http.StatusConflict, "Now: fast")
	page = b.get("rules/domain/delete?name=*")
	b.wantTo(b.save("rules/domain?name=*", "AuthDelta", "1"), Path+"rules?done=done.rules")
	b.want(b.post("rules/domain/delete?name=*", "version", hiddenField(page.body, "version")), http.StatusConflict, "Look at it once more")
	page = b.get("rules/domain/delete?name=*")
	b.wantTo(b.post("rules/domain/delete?name=*", "version", hiddenField(page.body, "version")), Path+"rules?done=done.rules_deleted")
	b.want(b.post("rules/domain/delete?name=*", "version", ""), http.StatusNotFound, "There is no such domain")
}

func TestDeleteSaysWhyItCannot(t *testing.T) {
	r, d := ruleRig(t)
	b := r.as("admin", r.admin)
	for path, says := range map[string]string{
		"rules/domain/delete?name=push.example.com": "has 2 snapshot rules and 1 callback rules; delete them first",
		"rules/snapshot-template/delete?id=1":       "rule",
		"rules/callback-template/delete?id=1":       "rule",
	} {
		a := b.post(path, "version", hiddenField(b.get(path).body, "version"))
		b.want(a, http.StatusConflict, says, `role="alert"`)
	}
	if set := d.Resources().Set(); len(set.Domains) != 2 || len(set.SnapshotTemplates) != 2 {
		t.Error("something was deleted that is in use")
	}
}

func TestNamesAreNoMarkup(t *testing.T) {
	r, d := ruleRig(t)
	const evil = `<script>alert("x")</script>`
	for _, rule := range []stillcast.SnapshotRule{{Domain: "push.example.com", App: evil, Stream: evil, TemplateID: 1}} {
		if _, err := d.AddSnapshotRule(t.Context(), rule); err != nil {
			t.Fatal(err)
		}
	}
	d.live = append(d.live, stillcast.Push{Domain: "push.example.com", Stream: stillcast.Stream{Domain: "push.example.com", App: evil, Name: evil}})
	b := r.as("admin", r.admin)
	rule := "rules/snapshot-rule%s?" + string(ruleKeyOf("push.example.com", evil, evil).query())
	for _, path := range []string{
		"rules", strings.Replace(rule, "%s", "", 1), strings.Replace(rule, "%s", "/delete", 1), "rules/domain?name=%3Cscript%3E", "rules/push-url?domain=%3Cscript%3E",
	} {
		if a := b.get(path); strings.Contains(a.body, "<script>alert") || !strings.Contains(a.body+html.EscapeString(path), "&lt;script") && a.status == http.StatusOK && path != "rules/push-url?domain=%3Cscript%3E" {
			t.Errorf("%s: %s", path, a.body)
		}
	}
	a := b.post("rules/tester", "url", "rtmp://push.example.com/"+evil[:8]+"/"+evil, "size", evil)
	if strings.Contains(a.body, "<script>alert") {
		t.Error("the tester makes markup of what was typed")
	}
	link := b.get("rules").body
	if !strings.Contains(link, html.EscapeString(string(ruleKeyOf("push.example.com", evil, evil).query()))) {
		t.Error("the link to the rule is not what its page understands")
	}
}
