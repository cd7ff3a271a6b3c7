package console

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"github.com/stillcast/stillcast"
)

// Limits of passwords: a length, and no rules about what is in them (NIST SP
// 800-63B, 3.1.1.2).
const (
	minPassword = 12   // characters
	maxPassword = 1024 // bytes
)

// checkPassword says what is wrong with a password that somebody chose, as a
// [refusal]; nil for nothing.
func checkPassword(account, password string) error {
	switch {
	case utf8.RuneCountInString(password) < minPassword:
		return refusedf(http.StatusUnprocessableEntity, "entry.password_short", minPassword)
	case len(password) > maxPassword:
		return refusedf(http.StatusUnprocessableEntity, "entry.password_long", maxPassword)
	case strings.Contains(strings.ToLower(password), account) && len(password) < len(account)+minPassword:
		return refusedf(http.StatusUnprocessableEntity, "entry.password_name")
	}
	return nil
}

// hashing is the cost of Argon2id.
type hashing struct {
	time, memory uint32 // passes; KiB
	threads      uint8
}

// recommended is the second recommended option of RFC 9106, section 4.
func recommended() hashing { return hashing{time: 3, memory: 64 << 10, threads: 4} }

const (
	saltSize = 16 // bytes
	keySize  = 32
	// Who cannot have a turn at once waits; with that many before it, it is sent away.
	maxWaiting = 16
	// What a hash that is read may ask for.
	maxMemory, maxTime = 1 << 20, 100 // KiB, passes
)

// hasher makes hashes of passwords, one at a time: each takes as much memory as
// the cost says, which guessers would multiply otherwise.
type hasher struct {
	cost    hashing
	nobody  stillcast.Secret // the hash that a password is compared with where there is no account
	turn    chan struct{}
	waiting chan struct{}
}

func newHasher(cost hashing) *hasher {
	h := &hasher{cost: cost, turn: make(chan struct{}, 1), waiting: make(chan struct{}, maxWaiting)}
	h.nobody = cost.format(random(saltSize), random(keySize))
	return h
}

func random(size int) []byte {
	b := make([]byte, size)
	_, _ = rand.Read(b) // never fails, see crypto/rand
	return b
}

// errBusy says that too many wait for a hash.
var errBusy = errors.New("too many passwords are being checked")

// hash makes the hash of a password.
func (h *hasher) hash(ctx context.Context, password string) (stillcast.Secret, error) {
	salt := random(saltSize)
	key, err := h.key(ctx, password, salt, h.cost)
	if err != nil {
		return "", err
	}
	return h.cost.format(salt, key), nil
}

// verify tells whether a password has that hash, in the same time for all
// passwords. A hash of "" is that of nobody: it takes as long as others and is
// never right.
func (h *hasher) verify(ctx context.Context, password string, hash stillcast.Secret) (bool, error) {
	if hash == "" {
		hash = h.nobody
	}
	cost, salt, want, err := parseHash(hash.Reveal())
	if err != nil {
		return false, err
	}
	got, err := h.key(ctx, password, salt, cost)
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(got, want) == 1, nil
}

func (h *hasher) key(ctx context.Context, password string, salt []byte, cost hashing) ([]byte, error) {
	select {
	case h.waiting <- struct{}{}:
		defer func() { <-h.waiting }()
	default:
		return nil, errBusy
	}
	select {
	case h.turn <- struct{}{}:
		defer func() { <-h.turn }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	// The same characters may be typed in more ways than one: RFC 8265, 4.2.
	plain := []byte(norm.NFC.String(password))
	return argon2.IDKey(plain, salt, cost.time, cost.memory, cost.threads, keySize), nil
}

// format writes a hash in the PHC string format, as Argon2's own tools do.
func (c hashing) format(salt, key []byte) stillcast.Secret {
	return stillcast.Secret(fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, c.memory, c.time, c.threads,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(key)))
}

var errHash = errors.New("is no hash of a password")

func parseHash(text string) (cost hashing, salt, key []byte, err error) {
	parts := strings.Split(text, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return hashing{}, nil, nil, errHash
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &cost.memory, &cost.time, &cost.threads); err != nil {
		return hashing{}, nil, nil, errHash
	}
	if cost.memory > maxMemory || cost.time < 1 || cost.time > maxTime || cost.threads < 1 {
		return hashing{}, nil, nil, errHash
	}
	salt, saltErr := base64.RawStdEncoding.DecodeString(parts[4])
	key, keyErr := base64.RawStdEncoding.DecodeString(parts[5])
	if saltErr != nil || keyErr != nil || len(key) != keySize {
		return hashing{}, nil, nil, errHash
	}
	return cost, salt, key, nil
}
