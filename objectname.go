package stillcast

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Names of pictures when a template gives none, those of Tencent Cloud CSS.
const (
	DefaultPrefix   = "/{Year}-{Month}-{Day}"
	DefaultFileName = "{StreamID}-screenshot-{Hour}-{Minute}-{Second}-{Width}x{Height}{Ext}"
)

// Sizes of keys, in bytes. The parts of a path stay below the 255 that file
// systems allow, and the whole below the 1024 of S3, with room for a suffix
// from [KeyVariant].
const (
	maxSegment = 200
	maxSuffix  = 255 - maxSegment
	maxKey     = 1024 - maxSuffix
)

func placeholders() []string {
	return []string{
		"{AppName}", "{PushDomain}", "{StreamID}", "{Year}", "{Month}", "{Day}",
		"{Hour}", "{Minute}", "{Second}", "{Width}", "{Height}", "{Ext}",
	}
}

// PictureName is what the placeholders of a picture's name stand for.
type PictureName struct {
	Stream        Stream
	At            time.Time // in the configured time zone
	Width, Height int       // of the picture
	Ext           string    // with the dot
}

// ObjectKey returns the key of a picture, without leading slash, from a
// template's prefix and file name. Stream, app and domain are escaped, so that
// whatever they hold, the key stays below the prefix: bytes other than letters,
// digits and "-_." become "!XX", and so does a leading dot; an empty value
// becomes "!". Parts longer than a file system allows are cut and end in a hash.
func (n PictureName) ObjectKey(prefix, fileName string) string {
	expand := n.replacer()
	segments := strings.Split(prefix+"/"+fileName, "/")
	kept := segments[:0]
	for _, s := range segments {
		if s = expand.Replace(s); s != "" {
			kept = append(kept, shorten(s))
		}
	}
	return strings.Join(kept, "/")
}

// RenditionKey returns the key of a rendition, whose size n holds: that of a
// picture, which ends in "-WIDTHxHEIGHT" where the template's names do not hold
// both sides.
func (n PictureName) RenditionKey(prefix, fileName string) string {
	key := n.ObjectKey(prefix, fileName)
	names := prefix + "/" + fileName
	if strings.Contains(names, "{Width}") && strings.Contains(names, "{Height}") {
		return key
	}
	return KeyVariant(key, Size{n.Width, n.Height}.String())
}

func (n PictureName) replacer() *strings.Replacer {
	two := func(v int) string { return fmt.Sprintf("%02d", v) }
	return strings.NewReplacer(
		"{AppName}", escape(n.Stream.App),
		"{PushDomain}", escape(n.Stream.Domain),
		"{StreamID}", escape(n.Stream.Name),
		"{Year}", fmt.Sprintf("%04d", n.At.Year()),
		"{Month}", two(int(n.At.Month())),
		"{Day}", two(n.At.Day()),
		"{Hour}", two(n.At.Hour()),
		"{Minute}", two(n.At.Minute()),
		"{Second}", two(n.At.Second()),
		"{Width}", strconv.Itoa(n.Width),
		"{Height}", strconv.Itoa(n.Height),
		"{Ext}", n.Ext,
	)
}

func escape(value string) string {
	if value == "" {
		return "!"
	}
	var b strings.Builder
	for i, r := range value {
		plain := unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' || r == '_' || r == '.' && i > 0
		if plain && r != unicode.ReplacementChar {
			b.WriteRune(r)
			continue
		}
		for _, c := range []byte(value[i : i+runeLen(value[i:])]) {
			fmt.Fprintf(&b, "!%02X", c)
		}
	}
	return b.String()
}

// runeLen is the number of bytes of the first rune, one for an invalid byte.
func runeLen(s string) int {
	for i := range s {
		if i > 0 {
			return i
		}
	}
	return len(s)
}

func shorten(segment string) string {
	if len(segment) <= maxSegment {
		return segment
	}
	sum := sha256.Sum256([]byte(segment))
	ext := path.Ext(segment)
	if len(ext) > 16 {
		ext = ""
	}
	const hashLen = 16
	head := segment[:maxSegment-hashLen-1-len(ext)]
	return strings.ToValidUTF8(head, "") + "-" + hex.EncodeToString(sum[:])[:hashLen] + ext
}

// KeyVariant returns key with a suffix before its extension. It names the
// second of two pictures whose names came out equal. The suffix may be 54 bytes
// long for a key from [PictureName.ObjectKey].
func KeyVariant(key, suffix string) string {
	ext := path.Ext(key)
	return strings.TrimSuffix(key, ext) + "-" + suffix + ext
}

func validateNameTemplates(prefix, fileName, ext string) error {
	if err := validateNameTemplate("prefix", prefix, true); err != nil {
		return err
	}
	if err := validateNameTemplate("file_name", fileName, false); err != nil {
		return err
	}
	long := strings.Repeat("!", MaxNamePart)
	worst := PictureName{Stream: Stream{Domain: long, App: long, Name: long}, Width: MaxWidth, Height: MaxHeight, Ext: ext}
	if n := len(worst.ObjectKey(prefix, fileName)); n > maxKey {
		return Errorf(CodeInvalid, "prefix", "together with file_name it makes names of up to %d bytes; at most %d are allowed", n, maxKey)
	}
	return nil
}

func validateNameTemplate(field, value string, slash bool) error {
	rest := value
	for _, p := range placeholders() {
		// Not by nothing: what is left on both sides must not become a placeholder.
		rest = strings.ReplaceAll(rest, p, "-")
	}
	allowed := "letters, digits, - ! _ . * and the placeholders " + strings.Join(placeholders(), " ")
	if slash {
		allowed = "/, " + allowed
	}
	for _, r := range rest {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		if letter || strings.ContainsRune("-!_.*", r) || slash && r == '/' {
			continue
		}
		return Errorf(CodeInvalid, field, "%q holds %q; allowed are %s", value, r, allowed)
	}
	for segment := range strings.SplitSeq(value, "/") {
		if segment == "." || segment == ".." {
			return Errorf(CodeInvalid, field, "%q holds the path part %q, which is not allowed", value, segment)
		}
	}
	return nil
}
