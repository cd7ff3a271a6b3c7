package api

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/stillcast/stillcast"
)

// Credential is one that requests are signed with.
type Credential struct {
	SecretID  string           `yaml:"secret_id" json:"secret_id"`
	SecretKey stillcast.Secret `yaml:"secret_key" json:"-"`
	ReadOnly  bool             `yaml:"read_only" json:"read_only,omitempty"`
}

// Config is the API's part of the configuration file.
type Config struct {
	// Credentials may call the API. With none, a pair of its own is made at the
	// first start and kept in the data folder.
	Credentials []Credential `yaml:"credentials"`
}

// DefaultConfig returns the defaults.
func DefaultConfig() Config { return Config{} }

const maxCredentials = 100

// Validate reports the first setting that is not allowed.
func (c Config) Validate() error {
	if len(c.Credentials) > maxCredentials {
		return stillcast.Errorf(stillcast.CodeInvalid, "credentials", "has %d elements; at most %d are allowed", len(c.Credentials), maxCredentials)
	}
	seen := map[string]bool{}
	for i, one := range c.Credentials {
		field := fmt.Sprintf("credentials[%d]", i)
		switch {
		case one.SecretID == "" || len(one.SecretID) > 128:
			return stillcast.Errorf(stillcast.CodeInvalid, field+".secret_id", "has %d bytes; allowed are 1 to 128", len(one.SecretID))
		case (&Param{Chars: KeyChars}).wrongChar(one.SecretID) >= 0:
			return stillcast.Errorf(stillcast.CodeInvalid, field+".secret_id", "is %q; allowed are letters and digits", one.SecretID)
		case seen[one.SecretID]:
			return stillcast.Errorf(stillcast.CodeConflict, field+".secret_id", "%q stands here twice", one.SecretID)
		case len(one.SecretKey.Reveal()) < minKey:
			return stillcast.Errorf(stillcast.CodeInvalid, field+".secret_key", "has %d bytes; at least %d are needed", len(one.SecretKey.Reveal()), minKey)
		}
		seen[one.SecretID] = true
	}
	return nil
}

const minKey = 16 // bytes

// CredentialFile is the file of the pair that is made at the first start.
const CredentialFile = "api-credential.json"

// storedCredential is what that file holds.
type storedCredential struct {
	SecretID  string `json:"secret_id"`
	SecretKey string `json:"secret_key"`
}

// LoadCredential reads the pair of a data folder, or makes one, which made
// reports. Only the owner of the file may read it.
func LoadCredential(dir string) (c Credential, made bool, err error) {
	path := filepath.Join(dir, CredentialFile)
	c, err = ReadCredential(path)
	if errors.Is(err, fs.ErrNotExist) {
		c, err = makeCredential(path)
		return c, err == nil, err
	}
	return c, false, err
}

// ReadCredential reads a file that [LoadCredential] made.
func ReadCredential(path string) (Credential, error) {
	b, err := os.ReadFile(path) //nolint:gosec // the operator names the folder
	if err != nil {
		return Credential{}, fmt.Errorf("read the api's credential: %w", err)
	}
	var stored storedCredential
	if err := json.Unmarshal(b, &stored); err != nil {
		return Credential{}, fmt.Errorf("read the api's credential from %s: %w", path, err)
	}
	c := Credential{SecretID: stored.SecretID, SecretKey: stillcast.Secret(stored.SecretKey)}
	if err := (Config{Credentials: []Credential{c}}).Validate(); err != nil {
		return Credential{}, fmt.Errorf("read the api's credential from %s: %w", path, err)
	}
	return c, nil
}

// makeCredential writes the file under another name first, so that a crash leaves a whole one or none.
func makeCredential(path string) (Credential, error) {
	stored := storedCredential{SecretID: "AKID" + rand.Text(), SecretKey: rand.Text() + rand.Text()}
	b, err := json.MarshalIndent(stored, "", "  ")
	if err != nil {
		return Credential{}, fmt.Errorf("write the api's credential: %w", err)
	}
	part := path + ".part"
	if err := writeFile(part, append(b, '\n')); err != nil {
		return Credential{}, fmt.Errorf("write the api's credential: %w", err)
	}
	if err := os.Rename(part, path); err != nil {
		return Credential{}, fmt.Errorf("write the api's credential: %w", err)
	}
	return Credential{SecretID: stored.SecretID, SecretKey: stillcast.Secret(stored.SecretKey)}, nil
}

// writeFile writes a file that only its owner may read, whatever stood in its place before.
func writeFile(path string, data []byte) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // in the data folder
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}
