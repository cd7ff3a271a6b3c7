package console

import (
	"html"
	"net/http"
	"strings"
	"testing"
)

// limit is a value of a field and what the API says of it, "" where it is allowed.
type limit struct {
	field, value string
	says         string
	with         []string // other fields
}

func letters(n int) string { return strings.Repeat("a", n) }

func snapshotLimits() []limit {
	const sizes = "StillcastRenditions"
	return []limit{
		{"TemplateName", "", "TemplateName is empty; it is required", nil},
		{"TemplateName", letters(255), "", nil},
		{"TemplateName", letters(256), "TemplateName has 256 bytes; at most 255 are allowed", nil},
		{"TemplateName", "a b", `TemplateName holds ' '; allowed are Chinese, letters, digits, "_" and "-"`, nil},
		{"TemplateName", "wide", "TemplateName: ", nil},
		{"Description", letters(1024), "", nil},
		{"Description", letters(1025), "Description has 1025 bytes; at most 1024 are allowed", nil},
		{"SnapshotInterval", "1", "SnapshotInterval is 1; allowed are 2 to 300", nil},
		{"SnapshotInterval", "2", "", nil},
		{"SnapshotInterval", "300", "", nil},
		{"SnapshotInterval", "301", "SnapshotInterval is 301; allowed are 2 to 300", nil},
		{"SnapshotInterval", "ten", "SnapshotInterval is ten; allowed is an integer", nil},
		{"SnapshotInterval", "2.5", "SnapshotInterval is 2.5; allowed is an integer", nil},
		{"StillcastAccuracy", "exact", "", nil},
		{"StillcastAccuracy", "best", `StillcastAccuracy is "best"; allowed are keyframe, exact`, nil},
		{"Width", "-1", "Width is -1; allowed are 0 to 3000", nil},
		{"Width", "0", "", nil},
		{"Width", "3000", "", nil},
		{"Width", "3001", "Width is 3001; allowed are 0 to 3000", nil},
		{"Height", "-1", "Height is -1; allowed are 0 to 2000", nil},
		{"Height", "2000", "", nil},
		{"Height", "2001", "Height is 2001; allowed are 0 to 2000", nil},
		{"StillcastFit", "cover", "", nil},
		{"StillcastFit", "crop", `StillcastFit is "crop"; allowed are stretch, contain, cover`, nil},
		{"StillcastFormat", "webp", "", nil},
		{"StillcastFormat", "png", `StillcastFormat is "png"; allowed are jpeg, webp`, nil},
		{"StillcastQuality", "1", "", nil},
		{"StillcastQuality", "100", "", nil},
		{"StillcastQuality", "101", "StillcastQuality is 101; allowed are 0 to 100", nil},
		{"StillcastQuality", "-1", "StillcastQuality is -1; allowed are 0 to 100", nil},
		{"StillcastProgressive", "1", "", nil},
		{"StillcastProgressive", "1", "StillcastProgressive: is for the format jpeg", []string{"StillcastFormat", "webp"}},
		{"StillcastProgressive", "2", "StillcastProgressive is 2; allowed are 0 to 1", nil},
		{"StillcastExif", "1", "", nil},
		{sizes, "640x360, 320x0,0x100 3000x2000", "", nil},
		{sizes, "1x1, 2x2, 3x3, 4x4, 5x5", "StillcastRenditions has 5 elements; at most 4 are allowed", nil},
		{sizes, "640x360, 3001x1", "StillcastRenditions[1].width: is 3001; allowed are 0 to 3000", nil},
		{sizes, "640", `StillcastRenditions holds "640"; allowed are sizes such as 640x360`, nil},
		{sizes, "0x0", "StillcastRenditions[0]: has neither width nor height", nil},
		{sizes, "640x360", "StillcastRenditions[0]: is 640x360, as the picture itself", []string{"Width", "640", "Height", "360"}},
		{"CosBucket", letters(63), "", nil},
		{"CosBucket", letters(64), "CosBucket has 64 bytes; at most 63 are allowed", nil},
		{"CosBucket", "A", `CosBucket: "A" holds 'A'; allowed are lower-case letters, digits and '-'`, nil},
		{"CosAppId", "1250000000", "", nil},
		{"CosAppId", "-1", "CosAppId is -1; allowed are integers from 0", nil},
		{"CosRegion", letters(63), "", nil},
		{"CosRegion", letters(64), "CosRegion has 64 bytes; at most 63 are allowed", nil},
		{"CosPrefix", "/{AppName}/{Year}", "", nil},
		{"CosPrefix", "/../x", `CosPrefix: "/../x" holds the path part ".."`, nil},
		{"CosPrefix", letters(1025), "CosPrefix has 1025 bytes; at most 1024 are allowed", nil},
		{"CosFileName", "{StreamID}{Ext}", "", nil},
		{"CosFileName", "a/b", `CosFileName: "a/b" holds '/'`, nil},
		{"StillcastMirror", "second", "", nil},
		{"StillcastMirror", "third", `StillcastMirror: is "third"; allowed are second`, nil},
		{"StillcastSkipBlack", "1", "", nil},
		{"StillcastSkipUnchanged", "1", "", nil},
		{"StillcastHeartbeat", "9", "StillcastHeartbeat: is 9s; allowed are 10s, the interval, to 24h0m0s", nil},
		{"StillcastHeartbeat", "10", "", nil},
		{"StillcastHeartbeat", "86400", "", nil},
		{"StillcastHeartbeat", "86401", "StillcastHeartbeat is 86401; allowed are 0 to 86400", nil},
		{"StillcastFacts", "1", "", nil},
		{"PornFlag", "1", "", nil},
	}
}

func callbackLimits() []limit {
	url := []string{"SnapshotNotifyUrl", "http://example.com/"}
	long := "http://example.com/" + letters(2048-len("http://example.com/"))
	secret := func(encoded string) string { return "whsec_" + encoded }
	all := []limit{
		{"TemplateName", "", "TemplateName is empty; it is required", url},
		{"TemplateName", letters(255), "", url},
		{"TemplateName", letters(256), "TemplateName has 256 bytes; at most 255 are allowed", url},
		{"Description", letters(1025), "Description has 1025 bytes; at most 1024 are allowed", url},
		{"SnapshotNotifyUrl", "", "the template has no URL; at least one of", nil},
		{"CallbackKey", letters(1024), "", url},
		{"CallbackKey", letters(1025), "CallbackKey has 1025 bytes; at most 1024 are allowed", url},
		{"StillcastProfile", "standard", "", url},
		{"StillcastProfile", "other", `StillcastProfile is "other"; allowed are tencent, standard`, url},
		{"StillcastSigningSecret", "hush", `StillcastSigningSecret: does not begin with "whsec_"`, url},
		{"StillcastSigningSecret", secret(strings.Repeat("QUJD", 8)), "", url},
		{"StillcastSigningSecret", secret("QUJD"), "StillcastSigningSecret: has 3 bytes", url},
		{"StillcastSigningSecret", letters(129), "StillcastSigningSecret has 129 bytes; at most 128 are allowed", url},
		{"StillcastPreviousSecret", secret(strings.Repeat("QUJD", 8)), "StillcastPreviousSecret: is given without signing_secret", url},
		{
			"StillcastPreviousSecret", secret(strings.Repeat("QUJD", 8)), "",
			append(url, "StillcastSigningSecret", secret(strings.Repeat("REVG", 8))),
		},
		{"StillcastRateLimit", "10000", "", url},
		{"StillcastRateLimit", "10001", "StillcastRateLimit is 10001; allowed are 0 to 10000", url},
		{"StillcastRateLimit", "-1", "StillcastRateLimit is -1; allowed are 0 to 10000", url},
		{"StillcastExtras", "1", "", url},
		{"StillcastRedactParam", "1", "", url},
		{"RecordExceptionLevels", "error, info", "", url},
		{"RecordExceptionLevels", "fatal", `RecordExceptionLevels.0 is "fatal"; allowed are error, warning, info`, url},
		{"RecordExceptionLevels", "error,error,error,error", "RecordExceptionLevels has 4 elements; at most 3 are allowed", url},
	}
	for _, name := range []string{
		"SnapshotNotifyUrl", "StreamBeginNotifyUrl", "StreamEndNotifyUrl", "PushExceptionNotifyUrl", "RecordNotifyUrl", "RecordStatusNotifyUrl",
		"PornCensorshipNotifyUrl", "AudioAuditNotifyUrl", "RecordExceptionNotifyUrl", "StreamMixNotifyUrl",
	} {
		all = append(
			all, limit{name, long, "", url}, limit{name, long + "a", name + " has 2049 bytes; at most 2048 are allowed", url},
			limit{name, "ftp://example.com/", name + `: "ftp://example.com/" has the scheme "ftp"; allowed are http and https`, url},
			limit{name, "http://u:p@example.com/", name + ": holds a user name or password", url},
		)
	}
	return all
}

func domainLimits() []limit {
	return []limit{
		{"DomainName", "", "DomainName is empty; it is required", nil},
		{"DomainName", letters(255), "", nil},
		{"DomainName", letters(256), "DomainName has 256 bytes; at most 255 are allowed", nil},
		{"DomainName", "a b.example.com", `DomainName: "a b.example.com" holds ' '; a push domain is a host name in lower case`, nil},
		{"DomainName", "push.example.com", `DomainName: domain "push.example.com" exists already`, nil},
		{"Disabled", "1", "", nil},
		{"Enable", "", "", nil},
		{"MasterAuthKey", letters(255), "", nil},
		{"MasterAuthKey", letters(256), "MasterAuthKey has 256 bytes; at most 255 are allowed", nil},
		{"BackupAuthKey", letters(255), "", nil},
		{"BackupAuthKey", letters(256), "BackupAuthKey has 256 bytes; at most 255 are allowed", nil},
		{"AuthDelta", "31536000", "", nil},
		{"AuthDelta", "31536001", "AuthDelta is 31536001; allowed are 0 to 31536000", nil},
		{"AuthDelta", "-1", "AuthDelta is -1; allowed are 0 to 31536000", nil},
		{"PlayType", "3", "", nil},
		{"PlayType", "4", "PlayType is 4; allowed are 1 to 3", nil},
		{"IsDelayLive", "1", "", nil},
		{"IsMiniProgramLive", "1", "", nil},
	}
}

func snapshotRuleLimits() []limit {
	return []limit{
		{"DomainName", "none.example.com", "DomainName: there is no domain", nil},
		{"AppName", letters(255), "", nil},
		{"AppName", letters(256), "AppName has 256 bytes; at most 255 are allowed", nil},
		{"StreamName", letters(255), "", []string{"AppName", "x"}},
		{"StreamName", letters(256), "StreamName has 256 bytes; at most 255 are allowed", nil},
		{"TemplateId", "", "TemplateId is missing; it is required (integer)", nil},
		{"TemplateId", "99", "TemplateId: there is no", nil},
	}
}

func TestFormsRefuseWhatTheAPIRefuses(t *testing.T) {
	for _, test := range []struct {
		kind   string
		limits []limit
		base   []string // allowed values of what is required
	}{
		{"domain", domainLimits(), []string{"DomainName", "new.example.com", "Enable", "1"}},
		{"snapshot-template", snapshotLimits(), []string{"TemplateName", "new"}},
		{"callback-template", callbackLimits(), []string{"TemplateName", "new"}},
		{"snapshot-rule", snapshotRuleLimits(), []string{"DomainName", "*", "TemplateId", "1"}},
		{"callback-rule", snapshotRuleLimits()[:3], []string{"DomainName", "*", "TemplateId", "1"}},
	} {
		t.Run(test.kind, func(t *testing.T) {
			t.Parallel()
			r, d := ruleRig(t)
			b := r.as("admin", r.admin)
			d.live = nil // nothing is to be confirmed
			before := len(d.Resources().Set().Domains)
			for _, l := range test.limits {
				fields := append(append(append([]string{"step", "save"}, test.base...), l.with...), l.field, l.value)
				a := b.post("rules/"+test.kind, fields...)
				if l.says == "" {
					b.wantTo(a, Path+"rules?done=done.rules")
					r.forget(d, before)
					continue
				}
				if a.status != http.StatusUnprocessableEntity && a.status != http.StatusConflict && a.status != http.StatusNotFound {
					t.Errorf("%s=%.40q: status %d, want a refusal", l.field, l.value, a.status)
					continue
				}
				if said := saidAt(a.body, l.field); !strings.HasPrefix(said, l.says) {
					t.Errorf("%s=%.40q: the field says %q, want what begins with %q", l.field, l.value, said, l.says)
				}
				keepsValues(t, a.body, fields)
			}
		})
	}
}

// forget deletes what a test made of the kinds of which there may be few.
func (r *rig) forget(d *desk, domains int) {
	r.t.Helper()
	set := d.Resources().Set()
	for _, rule := range set.SnapshotRules[2:] {
		if _, err := r.store.DeleteSnapshotRule(r.t.Context(), rule.Domain, rule.App, rule.Stream); err != nil {
			r.t.Fatal(err)
		}
	}
	for _, rule := range set.CallbackRules[1:] {
		if _, err := r.store.DeleteCallbackRule(r.t.Context(), rule.Domain, rule.App); err != nil {
			r.t.Fatal(err)
		}
	}
	for _, one := range set.Domains[domains:] {
		if _, err := r.store.DeleteDomain(r.t.Context(), one.Name); err != nil {
			r.t.Fatal(err)
		}
	}
	for _, one := range set.SnapshotTemplates[2:] {
		if _, err := r.store.DeleteSnapshotTemplate(r.t.Context(), one.ID); err != nil {
			r.t.Fatal(err)
		}
	}
	for _, one := range set.CallbackTemplates[2:] {
		if _, err := r.store.DeleteCallbackTemplate(r.t.Context(), one.ID); err != nil {
			r.t.Fatal(err)
		}
	}
}

// saidAt is what a form says at a field that is marked as wrong and described by it.
func saidAt(page, field string) string {
	id := "f-" + field
	_, input, _ := strings.Cut(page, ` id="`+id+`"`)
	input, _, _ = strings.Cut(input, ">")
	if !strings.Contains(input, `aria-invalid="true"`) || !strings.Contains(input, id+`-fault`) {
		return "nothing: it is not marked: " + input
	}
	_, said, _ := strings.Cut(page, `id="`+id+`-fault" lang="en">`)
	said, _, _ = strings.Cut(said, "<")
	return html.UnescapeString(said)
}

// keepsValues checks that a form still holds all that was typed.
func keepsValues(t *testing.T, page string, fields []string) {
	t.Helper()
	want := map[string]string{}
	for i := 2; i < len(fields); i += 2 {
		want[fields[i]] = fields[i+1]
	}
	got := map[string]string{}
	held := filled(page)
	for i := 0; i < len(held); i += 2 {
		got[held[i]] = held[i+1]
	}
	for name, value := range want {
		if name == "StillcastRenditions" || name == "RecordExceptionLevels" {
			value = strings.Join(listOf(value), ", ")
		}
		if name == "StillcastProgressive" && value == "2" {
			continue // a box is ticked or not
		}
		if got[name] != value {
			t.Errorf("%s holds %.40q after an error, want the %.40q that was typed", name, got[name], value)
		}
	}
}
