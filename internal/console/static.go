package console

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
)

//go:embed static
var staticFiles embed.FS

// static serves stylesheets and scripts, each at a URL with the hash of what is in
// it, so that browsers keep them for ever and get a new one with a new program.
type static struct {
	urls  map[string]string // by name, such as "wall.js"
	files map[string]staticFile
}

type staticFile struct {
	kind string // Content-Type
	body []byte
}

func newStatic() (*static, error) {
	s := &static{urls: make(map[string]string), files: make(map[string]staticFile)}
	err := fs.WalkDir(staticFiles, "static", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := staticFiles.ReadFile(name)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(body)
		short := strings.TrimPrefix(name, "static/")
		location := Path + "static/" + hex.EncodeToString(sum[:8]) + "/" + short
		s.urls[short] = location
		s.files[location] = staticFile{kind: mime.TypeByExtension(path.Ext(name)), body: body}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the console's files: %w", err)
	}
	return s, nil
}

// url returns where a file is served.
func (s *static) url(name string) (string, error) {
	location, ok := s.urls[name]
	if !ok {
		return "", fmt.Errorf("the console has no file %q", name)
	}
	return location, nil
}

// ServeHTTP implements [http.Handler].
func (s *static) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f, ok := s.files[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", f.kind)
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = w.Write(f.body) // a browser that went away needs no answer
}
