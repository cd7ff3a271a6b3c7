package stillcast_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stillcast/stillcast"
)

const password = "hunter2-hunter2"

func TestSecretNeverPrints(t *testing.T) {
	s := stillcast.Secret(password)
	domain := stillcast.Domain{Name: "d", Auth: stillcast.PushAuth{Key: s, BackupKey: s}}
	template := stillcast.CallbackTemplate{Name: "c", Key: s, SnapshotURL: "http://a"}
	set := stillcast.ResourceSet{Domains: []stillcast.Domain{domain}, CallbackTemplates: []stillcast.CallbackTemplate{template}}
	for name, value := range map[string]any{
		"secret": s, "pointer": &s, "slice": []stillcast.Secret{s}, "map": map[string]stillcast.Secret{"key": s},
		"domain": domain, "template": &template, "set": set, "resources": stillcast.NewResources(set),
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%X", "% x", "%t", "%c", "%U", "%30.40v", "%!"} {
			concealed(t, name+" with "+verb, fmt.Sprintf(verb, value))
		}
		concealed(t, name+" with Println", fmt.Sprintln(value))
		concealed(t, name+" in an error", fmt.Errorf("wrap: %w %v", errors.New("e"), value).Error())

		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("m", "k", value)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "k", value, slog.Group("g", "k", value))
		concealed(t, name+" in slog", log.String())

		text, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		concealed(t, name+" as JSON", string(text))
	}
}

// concealed fails when text holds the password, plain or in hexadecimal.
func concealed(t *testing.T, what, text string) {
	t.Helper()
	lower := strings.ToLower(strings.ReplaceAll(text, " ", ""))
	for _, form := range []string{password, fmt.Sprintf("%x", password)} {
		if strings.Contains(lower, form) {
			t.Errorf("%s shows the secret: %s", what, text)
		}
	}
}

func TestSecretForms(t *testing.T) {
	s := stillcast.Secret(password)
	for got, want := range map[string]string{
		fmt.Sprintf("%v", s): "<secret>", fmt.Sprintf("%q", s): `"<secret>"`, fmt.Sprintf("%10s", s): "  <secret>",
		fmt.Sprintf("[%v]", stillcast.Secret("")): "[]", s.String(): "<secret>", s.Reveal(): password,
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	var in struct{ Key stillcast.Secret }
	if err := json.Unmarshal([]byte(`{"Key":"`+password+`"}`), &in); err != nil || in.Key.Reveal() != password {
		t.Errorf("from JSON: %q, %v", in.Key.Reveal(), err)
	}
}
