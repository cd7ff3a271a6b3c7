package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/config"
	"github.com/stillcast/stillcast/internal/objstore"
	"github.com/stillcast/stillcast/internal/objstore/cos"
	"github.com/stillcast/stillcast/internal/objstore/file"
	"github.com/stillcast/stillcast/internal/objstore/s3"
	"github.com/stillcast/stillcast/internal/spool"
)

const (
	checkTime   = 10 * time.Second // of the check of one store
	presignTime = 5 * time.Second  // to make a URL, which may need new credentials
)

// objects is a store of pictures, as package objstore describes it.
type objects interface {
	Put(ctx context.Context, o objstore.Object) error
	Head(ctx context.Context, bucket, key string) (objstore.Info, error)
	Get(ctx context.Context, bucket, key string) (io.ReadCloser, objstore.Info, error)
	Delete(ctx context.Context, bucket, key string) error
	PublicURL(bucket, region, key string) (string, error)
	Presign(ctx context.Context, bucket, key string, lifetime time.Duration) (string, error)
	Close() error
}

// place is one store and what only some kinds of stores have.
type place struct {
	objects

	name  string                      // of a mirror, or spool.Primary
	typ   string                      // as in the configuration
	check func(context.Context) error // nil: it was looked at when it was opened
	in    func(region string) objects // nil: its buckets are all in one region
	local *file.Store                 // nil: it is no local folder
	// own is the one bucket that the configuration names, "" for none. A shot that
	// names no bucket is there, and with ownOnly every shot.
	own     string
	ownOnly bool
	// folders keeps the pictures of each bucket apart in a mirror that has one for
	// all: keys are unique in their bucket only.
	folders bool
}

// bucket returns the bucket of the store that pictures of a template with the
// bucket name go to. Their keys are unique in it.
func (p *place) bucket(name string) string {
	if p.ownOnly || name == "" {
		return p.own
	}
	return name
}

// Put implements the contract of package objstore.
func (p *place) Put(ctx context.Context, o objstore.Object) error {
	if p.ownOnly {
		o.Key = p.key(o.Bucket, o.Key)
		o.Bucket, o.Region = "", ""
	}
	return p.objects.Put(ctx, o)
}

// key returns the name of a picture in the store.
func (p *place) key(bucket, key string) string {
	if p.folders && bucket != "" {
		return bucket + "/" + key
	}
	return key
}

// at returns the store that knows a shot's bucket, and the bucket's name for it.
func (p *place) at(shot stillcast.Shot) (objects, string) {
	switch {
	case p.ownOnly:
		return p.objects, ""
	case p.in != nil && shot.Region != "":
		return p.in(shot.Region), shot.Bucket
	}
	return p.objects, shot.Bucket
}

// holds reports whether the store has all pictures of a shot.
func (p *place) holds(ctx context.Context, shot stillcast.Shot) (bool, error) {
	store, bucket := p.at(shot)
	for _, key := range shot.Keys() {
		_, err := store.Head(ctx, bucket, p.key(shot.Bucket, key))
		switch {
		case errors.Is(err, objstore.ErrNotFound), errors.Is(err, objstore.ErrName):
			return false, nil
		case err != nil:
			return false, err
		}
	}
	return true, nil
}

// Remove deletes all pictures of a shot that are there.
func (p *place) Remove(ctx context.Context, shot stillcast.Shot) error {
	store, bucket := p.at(shot)
	for _, key := range shot.Keys() {
		if err := store.Delete(ctx, bucket, p.key(shot.Bucket, key)); err != nil {
			return err
		}
	}
	return nil
}

// places are where pictures go.
type places struct {
	config  config.Storage
	primary *place
	mirrors []*place
}

// openPlaces opens the stores of the configuration. DataDir and publicURL are for
// local ones.
func openPlaces(cfg *config.Config, publicURL string) (*places, error) {
	s := cfg.Storage
	all := &places{config: s}
	open := func(m config.Mirror) (*place, error) {
		p, err := openPlace(m, s.Upload.Concurrency, file.Options{Config: m.File, DataDir: cfg.DataDir, PublicURL: publicURL})
		if err != nil {
			return nil, errors.Join(err, all.close())
		}
		return p, nil
	}
	var err error
	if all.primary, err = open(config.Mirror{Name: spool.Primary, Type: s.Type, File: s.File, S3: s.S3, COS: s.COS}); err != nil {
		return nil, fmt.Errorf("open storage.%s: %w", s.Type, err)
	}
	for i, m := range s.Mirrors {
		if m.Type == config.StorageFile && s.Type == config.StorageFile && sameFolder(m.File.Dir, picturesDir(cfg)) {
			return nil, errors.Join(stillcast.Errorf(stillcast.CodeConflict, fmt.Sprintf("storage.mirrors[%d].file.dir", i),
				"%s is the folder of the first store; a mirror is a second one", m.File.Dir), all.close())
		}
		p, err := open(m)
		if err != nil {
			return nil, fmt.Errorf("open storage.mirrors[%d].%s: %w", i, m.Type, err)
		}
		// A mirror in COS would else be in the very bucket that the first store has.
		p.ownOnly = p.ownOnly || m.Type == config.StorageCOS
		p.folders = p.ownOnly
		all.mirrors = append(all.mirrors, p)
	}
	return all, nil
}

func openPlace(m config.Mirror, concurrency int, local file.Options) (*place, error) {
	p := &place{name: m.Name, typ: m.Type}
	switch m.Type {
	case config.StorageS3:
		m.S3.Connections = max(concurrency, 1)
		store, err := s3.Open(m.S3)
		if err != nil {
			return nil, err
		}
		p.objects, p.check = store, store.Check
		p.own, p.ownOnly = m.S3.Bucket, m.S3.Bucket != ""
	case config.StorageCOS:
		store, err := cos.Open(m.COS)
		if err != nil {
			return nil, err
		}
		p.objects, p.check = store, store.Check
		p.own = m.COS.Bucket
		p.in = func(region string) objects { return store.In(region) }
	default:
		store, err := file.Open(local)
		if err != nil {
			return nil, err
		}
		p.objects, p.local = store, store
	}
	return p, nil
}

func picturesDir(cfg *config.Config) string {
	return file.Options{Config: cfg.Storage.File, DataDir: cfg.DataDir}.Dir()
}

func sameFolder(a, b string) bool {
	one, errOne := filepath.Abs(a)
	two, errTwo := filepath.Abs(b)
	return errOne == nil && errTwo == nil && one == two
}

// each returns all stores, the first one first.
func (s *places) each() []*place {
	if s.primary == nil {
		return s.mirrors
	}
	return append([]*place{s.primary}, s.mirrors...)
}

func (s *places) close() error {
	var errs []error
	for _, p := range s.each() {
		errs = append(errs, p.Close())
	}
	return errors.Join(errs...)
}

// locals returns the stores that are local folders.
func (s *places) locals() []*place {
	return slices.DeleteFunc(s.each(), func(p *place) bool { return p.local == nil })
}

// hold reports whether all pictures of a shot are where its event says. That its
// mirror has them too is not asked.
func (s *places) hold(ctx context.Context, shot stillcast.Shot) (bool, error) {
	return s.primary.holds(ctx, shot)
}

// removeLocal removes the pictures of a shot from local folders.
func (s *places) removeLocal(ctx context.Context, shot stillcast.Shot) error {
	for _, p := range s.locals() {
		if err := p.Remove(ctx, shot); err != nil {
			return err
		}
	}
	return nil
}

// URL returns where a shot's picture can be downloaded, in the form that the
// configuration says: the pic_full_url of its event.
func (s *places) URL(shot stillcast.Shot, now time.Time) (string, error) {
	switch {
	case s.config.PublicBase != "":
		return strings.TrimRight(s.config.PublicBase, "/") + "/" + escapeKey(shot.Key), nil
	case s.primary.local != nil:
		return s.primary.local.URL(shot, now)
	case s.config.URL != config.URLPresigned:
		return s.primary.PublicURL(shot.Bucket, shot.Region, shot.Key)
	}
	ctx, cancel := context.WithTimeout(context.Background(), presignTime)
	defer cancel()
	store, bucket := s.primary.at(shot)
	return store.Presign(ctx, bucket, shot.Key, s.config.URLLifetime)
}

func escapeKey(key string) string {
	segments := strings.Split(key, "/")
	for i, segment := range segments {
		segments[i] = url.PathEscape(segment)
	}
	return strings.Join(segments, "/")
}

// stores are the places as the uploader knows them.
func (s *places) stores() (primary spool.Store, mirrors []spool.Store) {
	primary = spool.Store{Name: spool.Primary, Bucket: s.primary, CacheControl: s.cacheControl(s.config.Type, s.config.File)}
	for i, p := range s.mirrors {
		m := s.config.Mirrors[i]
		mirrors = append(mirrors, spool.Store{Name: p.name, Bucket: p, CacheControl: s.cacheControl(m.Type, m.File)})
	}
	return primary, mirrors
}

func (s *places) cacheControl(typ string, local file.Config) string {
	if typ == config.StorageFile {
		return local.CacheControl
	}
	return s.config.CacheControl
}

// checkStores says of each store across a network whether it can be used. A store
// that cannot does not keep anything from starting: pictures wait in the spool.
func (a *App) checkStores(ctx context.Context) {
	for _, p := range a.pictures.each() {
		if p.check == nil {
			continue
		}
		checkCtx, cancel := context.WithTimeout(ctx, checkTime)
		err := p.check(checkCtx)
		cancel()
		if ctx.Err() != nil {
			return
		}
		a.checks.note(p.name, err)
		switch {
		case err != nil:
			a.logger("storage").Warn("object store cannot be used; pictures wait in the spool until it can",
				"store", p.name, "type", p.typ, "do", whatToDo(err), "error", err)
		default:
			a.logger("storage").Info("object store can be used", "store", p.name, "type", p.typ)
		}
	}
}

// whatToDo says what an operator can do about a store that cannot be used.
func whatToDo(err error) string {
	switch {
	case errors.Is(err, objstore.ErrDenied):
		return "check the credentials, and their rights to read and write objects of the bucket"
	case errors.Is(err, objstore.ErrNotFound):
		return "make the bucket, or name another one"
	case errors.Is(err, objstore.ErrThrottled):
		return "wait, or raise the limits of the account"
	case errors.Is(err, objstore.ErrName):
		return "correct the name of the bucket"
	}
	return "check its endpoint, the network, the name of the bucket and its region"
}

// checkMirrors reports the first of some templates that names a mirror which
// there is not.
func (a *App) checkMirrors(templates []stillcast.SnapshotTemplate) error {
	for _, t := range templates {
		if err := a.opts.Config.Storage.CheckMirror(t.Mirror); err != nil {
			return fmt.Errorf("snapshot template %q: %w", t.Name, err)
		}
	}
	return nil
}
