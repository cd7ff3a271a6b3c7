package console

import (
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/ingest"
)

// pushURLData is what the page that makes push URLs shows.
type pushURLData struct {
	Domains []stillcast.Domain
	Units   []choice

	Domain, Host, App, Stream, Count, Unit string // as they were typed
	Address                                string
	Wrong, Fault                           string // the field at fault, and what is wrong

	Made *pushURL
}

// pushURL is a push URL, and how to use it.
type pushURL struct {
	URL, TxSecret, TxTime string
	Expires               time.Time // zero: it needs no signature
	Disabled              bool      // nobody may push to the domain
	Server, Key           string    // as OBS has fields for them
	FFmpeg, TestPicture   string    // commands
	GStreamer             string
}

const (
	rtmpPort = "1935" // that of URLs without one
	// maxValid is how long a push URL is good for at most: as long as the other
	// limits of times here are generous.
	maxValid = 10 * 365 * 24 * time.Hour
)

// validUnits are those of how long a URL is good for.
func validUnits() map[string]time.Duration {
	return map[string]time.Duration{"minutes": time.Minute, "hours": time.Hour, "days": 24 * time.Hour}
}

func (v *view) pushURLPage() error {
	d := pushURLData{Domain: v.r.URL.Query().Get("domain"), App: "live", Count: "24", Unit: "hours"}
	return v.showPushURL(http.StatusOK, d)
}

func (v *view) showPushURL(status int, d pushURLData) error {
	d.Domains = v.opts.Rules.Resources().Domains()
	for _, unit := range []string{"minutes", "hours", "days"} {
		d.Units = append(d.Units, choice{unit, v.words.texts["pushurl."+unit]})
	}
	return v.pageWith(status, "pushurl", d)
}

// makePushURL signs a push URL with the key of its domain.
func (v *view) makePushURL() error {
	typed := func(name string) string { return strings.TrimSpace(v.r.PostForm.Get(name)) }
	d := pushURLData{
		Domain: typed("domain"), Host: strings.ToLower(typed("host")), App: strings.Trim(typed("app"), "/"), Stream: typed("stream"),
		Count: typed("count"), Unit: typed("unit"), Address: typed("address"),
	}
	made, err := v.signPushURL(d, time.Now())
	if err != nil {
		status, said := v.explain(v, err)
		if e, ok := asFault(err); ok {
			d.Wrong, said = e.Field, e.Message
		}
		d.Fault = said
		return v.showPushURL(status, d)
	}
	v.audit("make push URL", slog.String("domain", d.Domain), slog.String("app", d.App), slog.String("stream", d.Stream), slog.Time("expires", made.Expires))
	d.Made = made
	return v.showPushURL(http.StatusOK, d)
}

func (v *view) signPushURL(d pushURLData, now time.Time) (*pushURL, error) {
	domains := v.opts.Rules.Resources().Domains()
	i := slices.IndexFunc(domains, func(one stillcast.Domain) bool { return one.Name == d.Domain })
	if i < 0 {
		return nil, stillcast.Errorf(stillcast.CodeInvalid, "domain", "there is no domain %q", d.Domain)
	}
	host, field := d.Domain, "domain"
	if host == stillcast.AnyDomain {
		host, field = d.Host, "host"
	}
	u := ingest.PushURL{Stream: stillcast.Stream{Domain: host, App: d.App, Name: d.Stream}}
	if err := u.Stream.Validate(); err != nil {
		return nil, atField(err, map[string]string{"push domain": field, "app": "app", "stream name": "stream"})
	}
	valid, err := validFor(d)
	if err != nil {
		return nil, err
	}
	address, err := v.address(d.Address, host)
	if err != nil {
		return nil, err
	}
	made := &pushURL{Disabled: domains[i].Disabled}
	var query []string
	if auth := domains[i].Auth; !auth.Disabled {
		made.Expires = now.Add(valid).Truncate(time.Second)
		query = append(query, ingest.SignedParam(auth.Key, u, made.Expires))
		_, made.TxSecret, _ = strings.Cut(query[0], "txSecret=")
		made.TxSecret, made.TxTime, _ = strings.Cut(made.TxSecret, "&txTime=")
	}
	if !sameHost(address, host) {
		query = append(query, "vhost="+url.QueryEscape(host))
	}
	made.write(address, u.Stream, strings.Join(query, "&"))
	// The server must read it as it is meant: a "?" in a name could not be told apart.
	if _, back, err := ingest.SplitPushURL(made.URL); err != nil || back.Stream != u.Stream {
		return nil, stillcast.Errorf(stillcast.CodeInvalid, "stream", "a push URL cannot hold these names; leave ? and slashes out of the stream's")
	}
	return made, nil
}

func validFor(d pushURLData) (time.Duration, error) {
	unit, ok := validUnits()[d.Unit]
	if !ok {
		return 0, stillcast.Errorf(stillcast.CodeInvalid, "unit", "is %q; allowed are minutes, hours and days", d.Unit)
	}
	n, err := strconv.ParseInt(d.Count, 10, 32)
	if most := int64(maxValid / unit); err != nil || n < 1 || n > most {
		return 0, stillcast.Errorf(stillcast.CodeInvalid, "count", "is %q; allowed are 1 to %d %s", d.Count, most, d.Unit)
	}
	return time.Duration(n) * unit, nil
}

// address is what the URL has before its path: what was typed, else the host with
// the port that publishers push to.
func (v *view) address(typed, host string) (string, error) {
	if typed != "" {
		if strings.ContainsAny(typed, "/?# '\"\\") {
			return "", stillcast.Errorf(stillcast.CodeInvalid, "address", "%q is not HOST or HOST:PORT", typed)
		}
		return typed, nil
	}
	_, port, err := net.SplitHostPort(v.opts.Rules.Node())
	if err != nil || port == rtmpPort {
		if strings.Contains(host, ":") {
			return "[" + host + "]", nil
		}
		return host, nil
	}
	return net.JoinHostPort(host, port), nil
}

func sameHost(address, host string) bool {
	if h, _, err := net.SplitHostPort(address); err == nil {
		address = h
	}
	return strings.EqualFold(strings.Trim(address, "[]"), host)
}

func (p *pushURL) write(address string, s stillcast.Stream, query string) {
	p.Server, p.Key = "rtmp://"+address+"/"+s.App, s.Name
	if query != "" {
		p.Key += "?" + query
	}
	p.URL = p.Server + "/" + p.Key
	to := "-f flv " + quote(p.URL)
	if strings.Contains(p.URL, " ") {
		// At a space ffmpeg ends the address, and takes the rest for options of librtmp.
		to = "-f flv -rtmp_app " + quote(s.App) + " -rtmp_playpath " + quote(p.Key) + " " + quote("rtmp://"+address+"/")
	}
	p.FFmpeg = "ffmpeg -re -i VIDEO -c copy " + to
	p.TestPicture = "ffmpeg -re -f lavfi -i testsrc2=size=1280x720:rate=25 -c:v libx264 -pix_fmt yuv420p -g 50 " + to
	p.GStreamer = "gst-launch-1.0 videotestsrc is-live=true ! video/x-raw,width=1280,height=720,framerate=25/1 ! " +
		"x264enc tune=zerolatency key-int-max=50 ! h264parse ! flvmux streamable=true ! rtmp2sink " + quote("location="+gstQuote(p.URL))
}

// quote writes a word for a shell (POSIX, 2.2.2).
func quote(word string) string { return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'" }

// gstQuote writes a value for gst-launch-1.0, which reads its words as a language of
// their own once the shell is done with them.
func gstQuote(value string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`
}

// atField gives an error the name of the form's field at fault.
func atField(err error, names map[string]string) error {
	e, ok := asFault(err)
	if !ok {
		return err
	}
	name, ok := names[e.Field]
	if !ok {
		return err
	}
	return &stillcast.Error{Code: e.Code, Field: name, Message: e.Message}
}
