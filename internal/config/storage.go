package config

import (
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/objstore"
	"github.com/stillcast/stillcast/internal/objstore/cos"
	"github.com/stillcast/stillcast/internal/objstore/file"
	"github.com/stillcast/stillcast/internal/objstore/s3"
	"github.com/stillcast/stillcast/internal/spool"
)

// The types of storage.
const (
	StorageFile = "file" // a local folder
	StorageS3   = "s3"   // an S3-compatible store
	StorageCOS  = "cos"  // Tencent COS
)

// What the URLs of pictures are.
const (
	URLStore     = "store"     // the store's public form
	URLPresigned = "presigned" // signed, and valid for Storage.URLLifetime
)

// Storage says where pictures go, and how long what is known of them is kept.
type Storage struct {
	Type string      `yaml:"type"` // StorageFile, StorageS3 or StorageCOS
	File file.Config `yaml:"file"`
	S3   s3.Config   `yaml:"s3"`
	COS  cos.Config  `yaml:"cos"`
	// URL says what the URLs of pictures in S3 and COS are. Those of local ones
	// are signed by File.SignedURLs.
	URL string `yaml:"url"`
	// URLLifetime is how long a presigned URL is valid from when its event was
	// sent: whole seconds, at most seven days.
	URLLifetime time.Duration `yaml:"url_lifetime"`
	// PublicBase is the base of the URLs of pictures in place of the store's own,
	// such as that of a CDN: a picture's URL is the base, "/" and its key. "" for
	// none.
	PublicBase string `yaml:"public_base"`
	// CacheControl is the Cache-Control header of pictures in S3 and COS; ""
	// leaves it to the store.
	CacheControl string            `yaml:"cache_control"`
	Mirrors      []Mirror          `yaml:"mirrors"`
	Upload       spool.Config      `yaml:"upload"`
	Spool        spool.QuotaConfig `yaml:"spool"`
	Retention    Retention         `yaml:"retention"`
}

// Mirror is a second store, for the templates that name it.
type Mirror struct {
	Name string      `yaml:"name"` // lower-case letters, digits and '-'
	Type string      `yaml:"type"` // as that of Storage
	File file.Config `yaml:"file"`
	S3   s3.Config   `yaml:"s3"`
	COS  cos.Config  `yaml:"cos"`
}

// SetDefaults makes what is not written down that of the store's type.
func (m *Mirror) SetDefaults() {
	m.File, m.S3, m.COS = file.DefaultConfig(), s3.DefaultConfig(), cos.DefaultConfig()
}

// Retention is how long things are kept; 0 is for ever. What is still owed to a
// destination is never removed.
type Retention struct {
	Pictures time.Duration `yaml:"pictures"` // in local folders
	Shots    time.Duration `yaml:"shots"`    // with their events, deliveries and attempts
	Attempts time.Duration `yaml:"attempts"` // of events that were delivered
}

// minRetention is the shortest time that anything is kept.
const minRetention = time.Hour

// maxMirrorName is the longest name of a mirror in bytes, as a template may name it.
const maxMirrorName = stillcast.MaxBucket

// DefaultStorage returns the settings of a configuration that says nothing.
func DefaultStorage() Storage {
	return Storage{
		Type:         StorageFile,
		File:         file.DefaultConfig(),
		S3:           s3.DefaultConfig(),
		COS:          cos.DefaultConfig(),
		URL:          URLStore,
		URLLifetime:  24 * time.Hour,
		CacheControl: file.DefaultConfig().CacheControl,
		Upload:       spool.DefaultConfig(),
		Spool:        spool.DefaultQuota(),
		Retention:    Retention{Attempts: 30 * 24 * time.Hour},
	}
}

// Validate reports the first setting that is not allowed. Of the types of stores
// only the settings of the one that is used are looked at.
func (s Storage) Validate() error {
	if err := validateStore(s.Type, s.File, s.S3, s.COS); err != nil {
		return err
	}
	for _, part := range []struct {
		field string
		err   error
	}{
		{"", s.validateURLs()},
		{"", s.validateMirrors()},
		{"upload", s.Upload.Validate()},
		{"spool", s.Spool.Validate()},
		{"retention", s.validateRetention()},
	} {
		switch {
		case part.err == nil:
		case part.field == "":
			return part.err
		default:
			return stillcast.Within(part.field, part.err)
		}
	}
	return nil
}

func validateStore(typ string, f file.Config, s s3.Config, c cos.Config) error {
	switch typ {
	case StorageFile:
		return within("file", f.Validate())
	case StorageS3:
		return within("s3", s.Validate())
	case StorageCOS:
		return within("cos", c.Validate())
	}
	return stillcast.Errorf(stillcast.CodeInvalid, "type", "is %q; allowed are %s, %s and %s", typ, StorageFile, StorageS3, StorageCOS)
}

// within is [stillcast.Within] that keeps nil.
func within(field string, err error) error {
	if err == nil {
		return nil
	}
	return stillcast.Within(field, err)
}

func (s Storage) validateURLs() error {
	switch {
	case s.URL != URLStore && s.URL != URLPresigned:
		return stillcast.Errorf(stillcast.CodeInvalid, "url", "is %q; allowed are %s and %s", s.URL, URLStore, URLPresigned)
	case s.URL == URLPresigned && s.Type == StorageFile:
		return stillcast.Errorf(stillcast.CodeInvalid, "url", "is %s, which is for the types %s and %s; the URLs of local pictures are signed by file.signed_urls",
			URLPresigned, StorageS3, StorageCOS)
	case s.URL == URLPresigned && s.PublicBase != "":
		return stillcast.Errorf(stillcast.CodeInvalid, "public_base", "is given, but url is %s: a URL has either the one form or the other", URLPresigned)
	case s.URL == URLPresigned && objstore.ValidateLifetime(s.URLLifetime) != nil:
		return stillcast.Errorf(stillcast.CodeInvalid, "url_lifetime", "is %s; allowed are whole seconds from %s to %s",
			s.URLLifetime, objstore.MinLifetime, objstore.MaxLifetime)
	}
	for _, r := range s.CacheControl {
		if r < ' ' || r > '~' {
			return stillcast.Errorf(stillcast.CodeInvalid, "cache_control", "%q holds %q; a header value has printable ASCII characters only", s.CacheControl, r)
		}
	}
	if s.PublicBase == "" {
		return nil
	}
	u, err := url.Parse(s.PublicBase)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return stillcast.Errorf(stillcast.CodeInvalid, "public_base", "%q is not allowed; expected http(s)://HOST[:PORT][/PATH]", s.PublicBase)
	case u.User != nil:
		return stillcast.Errorf(stillcast.CodeInvalid, "public_base", "holds a user name or password, which is not allowed: the URL is sent to receivers")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return stillcast.Errorf(stillcast.CodeInvalid, "public_base", "%q has a query or fragment, which is not allowed: the key of a picture stands at its end", s.PublicBase)
	}
	return nil
}

func (s Storage) validateMirrors() error {
	for i, m := range s.Mirrors {
		if err := s.validateMirror(i, m); err != nil {
			return stillcast.Within(fmt.Sprintf("mirrors[%d]", i), err)
		}
	}
	return nil
}

func (s Storage) validateMirror(i int, m Mirror) error {
	if err := validateMirrorName(m.Name); err != nil {
		return err
	}
	if first := slices.IndexFunc(s.Mirrors[:i], func(o Mirror) bool { return o.Name == m.Name }); first >= 0 {
		return stillcast.Errorf(stillcast.CodeConflict, "name", "%q is that of storage.mirrors[%d] already", m.Name, first)
	}
	if err := validateStore(m.Type, m.File, m.S3, m.COS); err != nil {
		return err
	}
	if m.Type == StorageFile && m.File.Dir == "" {
		return stillcast.Errorf(stillcast.CodeInvalid, "file.dir", "is empty; a mirror needs a folder of its own")
	}
	place := placeOf(m)
	if place == placeOf(Mirror{Type: s.Type, File: s.File, S3: s.S3, COS: s.COS}) {
		return stillcast.Errorf(stillcast.CodeConflict, m.Type, "is the same place as storage.%s; a mirror is a second one", s.Type)
	}
	for j, other := range s.Mirrors[:i] {
		if place == placeOf(other) {
			return stillcast.Errorf(stillcast.CodeConflict, m.Type, "is the same place as storage.mirrors[%d]", j)
		}
	}
	return nil
}

func validateMirrorName(name string) error {
	if name == "" || len(name) > maxMirrorName || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return stillcast.Errorf(stillcast.CodeInvalid, "name", "is %q; expected 1 to %d lower-case letters, digits and '-'", name, maxMirrorName)
	}
	if name == spool.Primary {
		return stillcast.Errorf(stillcast.CodeInvalid, "name", "is %q, which stands for the first store in logs and metrics; choose another", name)
	}
	return nil
}

// placeOf tells where a store's pictures are; two that say the same overwrite
// each other's.
func placeOf(m Mirror) string {
	switch m.Type {
	case StorageS3:
		return strings.Join([]string{StorageS3, strings.TrimRight(m.S3.Endpoint, "/"), m.S3.Bucket}, " ")
	case StorageCOS:
		return strings.Join([]string{StorageCOS, m.COS.Endpoint, m.COS.Bucket, m.COS.Region}, " ")
	}
	return StorageFile + " " + filepath.Clean(m.File.Dir)
}

func (s Storage) validateRetention() error {
	r := s.Retention
	for _, part := range []struct {
		field string
		age   time.Duration
	}{{"pictures", r.Pictures}, {"shots", r.Shots}, {"attempts", r.Attempts}} {
		if part.age != 0 && part.age < minRetention {
			return stillcast.Errorf(stillcast.CodeInvalid, part.field, "is %s; allowed are %s and more, and 0 for ever", part.age, minRetention)
		}
	}
	local := s.Type == StorageFile || slices.ContainsFunc(s.Mirrors, func(m Mirror) bool { return m.Type == StorageFile })
	switch {
	case r.Pictures != 0 && !local:
		return stillcast.Errorf(stillcast.CodeInvalid, "pictures", "is %s, but no store is of the type %s; let a rule of the bucket remove others",
			r.Pictures, StorageFile)
	case local && r.Shots != 0 && (r.Pictures == 0 || r.Pictures > r.Shots):
		return stillcast.Errorf(stillcast.CodeInvalid, "shots", "is %s, shorter than pictures (%s): nothing would know any more which pictures are old",
			r.Shots, forEver(r.Pictures))
	}
	return nil
}

func forEver(age time.Duration) string {
	if age == 0 {
		return "0, for ever"
	}
	return age.String()
}

// MirrorNames returns the names of the mirrors.
func (s Storage) MirrorNames() []string {
	names := make([]string, len(s.Mirrors))
	for i, m := range s.Mirrors {
		names[i] = m.Name
	}
	return names
}

// CheckMirror reports a mirror that a template names and that there is not; "" is
// none.
func (s Storage) CheckMirror(name string) error {
	names := s.MirrorNames()
	switch {
	case name == "" || slices.Contains(names, name):
		return nil
	case len(names) == 0:
		return stillcast.Errorf(stillcast.CodeInvalid, "mirror", "%q is no mirror: there is none under storage.mirrors", name)
	}
	return stillcast.Errorf(stillcast.CodeInvalid, "mirror", "%q is none of the mirrors under storage.mirrors: %s", name, strings.Join(names, ", "))
}
