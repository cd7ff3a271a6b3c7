package receiver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/image/webp"

	"github.com/stillcast/stillcast/callback"
)

const (
	downloadTimeout = 30 * time.Second
	maxRenditions   = 16 // more in an event are left out; Stillcast makes fewer
)

// Picture is what became of a screenshot's picture, or of a rendition of it.
type Picture struct {
	// Path is the file it was saved in; "" when it was not.
	Path string
	// Format is "jpeg" or "webp", "" when it is neither.
	Format string
	// Width and Height are in pixels, 0 when it is no picture.
	Width, Height int
	// Bytes is its size.
	Bytes int
	// Err is nil when the picture is a JPEG or a WebP that has the size and the
	// dimensions that its event says, and was saved if it was to be.
	Err error
}

func newClient() *http.Client {
	return &http.Client{
		Timeout:   downloadTimeout,
		Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, DisableCompression: true, MaxIdleConnsPerHost: maxDownloads},
	}
}

// pictures downloads, checks and saves the pictures of a verified screenshot: its
// own, then its renditions.
func (r *Receiver) pictures(got Received) (own *Picture, renditions []Picture) {
	shot, ok := got.Event.(callback.Screenshot)
	if !ok || !r.options.FetchPictures && r.folder == nil {
		return nil, nil
	}
	said := callback.Rendition{
		FileSize: shot.FileSize, Width: shot.Width, Height: shot.Height, PicURL: shot.PicURL, PicFullURL: shot.PicFullURL,
	}
	p := r.picture(said, got.Meta)
	if shot.Stillcast == nil {
		return &p, nil
	}
	for _, said := range shot.Stillcast.Renditions[:min(len(shot.Stillcast.Renditions), maxRenditions)] {
		renditions = append(renditions, r.picture(said, got.Meta))
	}
	return &p, renditions
}

// picture downloads, checks and saves one picture, of which its event says so
// much.
func (r *Receiver) picture(said callback.Rendition, meta callback.Meta) Picture {
	var p Picture
	body, err := r.download(r.ctx, said.PicFullURL)
	if err != nil {
		p.Err = err
		return p
	}
	p.Bytes = len(body)
	p.Err = p.check(body, said)
	if r.folder == nil {
		return p
	}
	// A picture that is not as it should be is saved too: someone will look at it.
	name, err := r.save(body, fileName(said.PicURL, meta))
	if err != nil {
		p.Err = errors.Join(p.Err, err)
		return p
	}
	p.Path = filepath.Join(r.options.Save, name)
	return p
}

func (r *Receiver) download(ctx context.Context, from string) ([]byte, error) {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return nil, fmt.Errorf("download picture: %w", inner(err))
	}
	resp, err := r.client.Do(q)
	if err != nil {
		return nil, fmt.Errorf("download picture from %s: %w", withoutQuery(q.URL), inner(err))
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("download picture from %s: status %s", withoutQuery(q.URL), resp.Status)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, r.options.MaxSize+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("download picture from %s: %w", withoutQuery(q.URL), err)
	case int64(len(body)) > r.options.MaxSize:
		return nil, fmt.Errorf("download picture from %s: it is larger than %d bytes", withoutQuery(q.URL), r.options.MaxSize)
	}
	return body, nil
}

// withoutQuery leaves out the signature of a URL.
func withoutQuery(u *url.URL) string {
	return u.Scheme + "://" + u.Host + u.EscapedPath()
}

// inner leaves out the URL that net/http and net/url put before an error.
func inner(err error) error {
	if outer := (*url.Error)(nil); errors.As(err, &outer) {
		return outer.Err
	}
	return err
}

// check compares a picture with what its event says.
func (p *Picture) check(body []byte, said callback.Rendition) error {
	config, format, err := decodeConfig(body)
	if err != nil {
		return fmt.Errorf("picture is neither a JPEG nor a WebP: %w", err)
	}
	p.Format, p.Width, p.Height = format, config.Width, config.Height
	switch {
	case config.Width != said.Width || config.Height != said.Height:
		return fmt.Errorf("picture is %dx%d; its event says %dx%d", config.Width, config.Height, said.Width, said.Height)
	case len(body) != said.FileSize:
		return fmt.Errorf("picture has %d bytes; its event says %d", len(body), said.FileSize)
	}
	return nil
}

// decodeConfig does not use the formats that others registered.
func decodeConfig(body []byte) (config image.Config, format string, err error) {
	if bytes.HasPrefix(body, []byte("RIFF")) {
		config, err = webp.DecodeConfig(bytes.NewReader(body))
		return config, "webp", err
	}
	config, err = jpeg.DecodeConfig(bytes.NewReader(body))
	return config, "jpeg", err
}

// save writes a file into the folder and returns the name it got. A picture that
// arrives again replaces itself.
func (r *Receiver) save(body []byte, name string) (string, error) {
	temporary, err := r.create(name)
	if err != nil {
		return "", fmt.Errorf("save picture: %w", err)
	}
	_, err = temporary.Write(body)
	err = errors.Join(err, temporary.Close())
	if err == nil {
		err = r.folder.Rename(filepath.Base(temporary.Name()), name)
	}
	if err != nil {
		return "", errors.Join(fmt.Errorf("save picture: %w", err), r.folder.Remove(filepath.Base(temporary.Name())))
	}
	return name, nil
}

// create makes a temporary file, so that nobody sees half a picture, not even
// when the same one arrives twice at once.
func (r *Receiver) create(name string) (*os.File, error) {
	for n := 0; ; n++ {
		f, err := r.folder.OpenFile(fmt.Sprintf(".%s.%d.part", name, n), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if !errors.Is(err, fs.ErrExist) || n == maxDownloads {
			return f, err
		}
	}
}

// fileName makes a name from the picture's own and the event's id, which tells
// apart those of two streams. Both are data from outside.
func fileName(picURL string, meta callback.Meta) string {
	const longest = 150 // bytes, below the 255 of file systems
	base := plain(path.Base(picURL))
	ext := path.Ext(base)
	if len(ext) > 8 {
		ext = ""
	}
	base = strings.TrimSuffix(base, ext)
	name := base[:min(len(base), longest)]
	if id := plain(meta.EventID); id != "" {
		name += "-" + id[:min(len(id), 64)]
	}
	return name + ext
}

// plain replaces what is not plain in a file name, and a leading dot.
func plain(s string) string {
	name := strings.Map(func(c rune) rune {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if letter || strings.ContainsRune("-_.!", c) {
			return c
		}
		return '_'
	}, s)
	if strings.HasPrefix(name, ".") {
		return "_" + name[1:]
	}
	return name
}
