package receiver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
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

	"github.com/stillcast/stillcast/callback"
)

const downloadTimeout = 30 * time.Second

// Picture is what became of a screenshot's picture.
type Picture struct {
	// Path is the file it was saved in; "" when it was not.
	Path string
	// Width and Height are those of the JPEG in pixels, 0 when it is none.
	Width, Height int
	// Bytes is its size.
	Bytes int
	// Err is nil when the picture is a JPEG that has the size and the dimensions
	// that its event says, and was saved if it was to be.
	Err error
}

func newClient() *http.Client {
	return &http.Client{
		Timeout:   downloadTimeout,
		Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, DisableCompression: true, MaxIdleConnsPerHost: maxDownloads},
	}
}

// picture downloads, checks and saves the picture of a verified screenshot.
func (r *Receiver) picture(got Received) *Picture {
	shot, ok := got.Event.(callback.Screenshot)
	if !ok || !r.options.FetchPictures && r.folder == nil {
		return nil
	}
	p := &Picture{}
	body, err := r.download(r.ctx, shot.PicFullURL)
	if err != nil {
		p.Err = err
		return p
	}
	p.Bytes = len(body)
	p.Err = p.check(body, shot)
	if r.folder == nil {
		return p
	}
	// A picture that is not as it should be is saved too: someone will look at it.
	name, err := r.save(body, fileName(shot, got.Meta))
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
func (p *Picture) check(body []byte, shot callback.Screenshot) error {
	config, err := jpeg.DecodeConfig(bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("picture is no JPEG: %w", err)
	}
	p.Width, p.Height = config.Width, config.Height
	switch {
	case config.Width != shot.Width || config.Height != shot.Height:
		return fmt.Errorf("picture is %dx%d; its event says %dx%d", config.Width, config.Height, shot.Width, shot.Height)
	case len(body) != shot.FileSize:
		return fmt.Errorf("picture has %d bytes; its event says %d", len(body), shot.FileSize)
	}
	return nil
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
func fileName(shot callback.Screenshot, meta callback.Meta) string {
	const longest = 150 // bytes, below the 255 of file systems
	base := plain(path.Base(shot.PicURL))
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
