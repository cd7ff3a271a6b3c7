package api

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stillcast/stillcast"
)

func TestCredentialOfTheFirstStart(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, CredentialFile)
	// What a crash left behind is in nobody's way.
	if err := os.WriteFile(path+".part", []byte("{"), 0o644); err != nil { //nolint:gosec // on purpose
		t.Fatal(err)
	}
	first, made, err := LoadCredential(dir)
	if err != nil || !made {
		t.Fatalf("%v, %v; want a new one", made, err)
	}
	again, made, err := LoadCredential(dir)
	if err != nil || made || again != first {
		t.Errorf("%+v, %v, %v; want the same", again, made, err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v; want the mode 0600", info.Mode(), err)
	}
	if len(first.SecretKey.Reveal()) < 32 || !strings.HasPrefix(first.SecretID, "AKID") {
		t.Errorf("credential %q with a key of %d bytes", first.SecretID, len(first.SecretKey.Reveal()))
	}
}

func TestBrokenCredentialFileIsAnError(t *testing.T) {
	for _, text := range []string{"", "{}", `{"secret_id":"a b","secret_key":"0123456789abcdef"}`} {
		dir := t.TempDir()
		path := filepath.Join(dir, CredentialFile)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := LoadCredential(dir); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%q: error %v, want one that names the file", text, err)
		}
	}
}

func TestCredentialsAreChecked(t *testing.T) {
	good := Credential{SecretID: "AKIDa", SecretKey: "0123456789abcdef"}
	for name, all := range map[string][]Credential{
		"secret_id":  {{SecretKey: good.SecretKey}},
		"letters":    {{SecretID: "a/b", SecretKey: good.SecretKey}},
		"secret_key": {{SecretID: "AKIDa", SecretKey: "short"}},
		"twice":      {good, good},
		"at most":    make([]Credential, maxCredentials+1),
	} {
		err := Config{Credentials: all}.Validate()
		if err == nil || !strings.Contains(err.Error(), name) || stillcast.CodeOf(err) == "" {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if err := (Config{Credentials: []Credential{good}}).Validate(); err != nil {
		t.Error(err)
	}
}
