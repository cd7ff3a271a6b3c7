package console

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/stillcast/stillcast"
)

func TestHash(t *testing.T) {
	h := newHasher(cheap())
	hash, err := h.hash(t.Context(), "correct horse battery")
	if err != nil {
		t.Fatal(err)
	}
	if text := hash.Reveal(); !strings.HasPrefix(text, "$argon2id$v=19$m=64,t=1,p=1$") {
		t.Errorf("the hash is %s", text)
	}
	for password, want := range map[string]bool{"correct horse battery": true, "correct horse battery ": false, "": false} {
		if ok, err := h.verify(t.Context(), password, hash); ok != want || err != nil {
			t.Errorf("%q fits: %t, %v", password, ok, err)
		}
	}
	again, err := h.hash(t.Context(), "correct horse battery")
	if err != nil || again == hash {
		t.Errorf("the same hash again, without another salt (%v)", err)
	}
	// Made at another cost, it is still good.
	if ok, err := newHasher(hashing{time: 2, memory: 128, threads: 2}).verify(t.Context(), "correct horse battery", hash); !ok || err != nil {
		t.Errorf("a hash of another cost fits: %t, %v", ok, err)
	}
}

// TestHashOfArgon2 is the command of Argon2's own repository: echo -n password |
// argon2 somesalt -id -t 2 -k 65536 -p 1 -l 32.
func TestHashOfArgon2(t *testing.T) {
	const theirs = stillcast.Secret("$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc")
	if ok, err := newHasher(cheap()).verify(t.Context(), "password", theirs); !ok || err != nil {
		t.Errorf("it fits: %t, %v", ok, err)
	}
}

func TestTheSameCharactersAreTheSamePassword(t *testing.T) {
	h := newHasher(cheap())
	hash, err := h.hash(t.Context(), "Ame\u0301lie Poulain")
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := h.verify(t.Context(), "Am\u00e9lie Poulain", hash); !ok || err != nil {
		t.Errorf("composed characters fit: %t, %v", ok, err)
	}
}

func TestNobodyHasAPassword(t *testing.T) {
	h := newHasher(cheap())
	for _, password := range []string{"", "x", h.nobody.Reveal()} {
		if ok, err := h.verify(t.Context(), password, ""); ok || err != nil {
			t.Errorf("%q fits nobody: %t, %v", password, ok, err)
		}
	}
	cost, _, _, err := parseHash(h.nobody.Reveal())
	if err != nil || cost != h.cost {
		t.Errorf("to compare with nobody costs %v, want %v (%v)", cost, h.cost, err)
	}
}

func TestHashesAreMadeOneAtATime(t *testing.T) {
	h := newHasher(cheap())
	h.turn <- struct{}{} // somebody has it
	ctx, cancel := context.WithCancelCause(t.Context())
	gone := errors.New("gone")
	cancel(gone)
	if _, err := h.hash(ctx, "x"); !errors.Is(err, gone) {
		t.Errorf("without a turn: %v", err)
	}
	<-h.turn
	for range maxWaiting {
		h.waiting <- struct{}{}
	}
	if _, err := h.hash(t.Context(), "x"); !errors.Is(err, errBusy) {
		t.Errorf("with too many before it: %v", err)
	}
}

func TestDamagedHashesAreRefused(t *testing.T) {
	salt, key := base64.RawStdEncoding.EncodeToString(make([]byte, saltSize)), base64.RawStdEncoding.EncodeToString(make([]byte, keySize))
	if _, _, _, err := parseHash("$argon2id$v=19$m=64,t=1,p=1$" + salt + "$" + key); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		"x", "$argon2i$v=19$m=64,t=1,p=1$" + salt + "$" + key, "$argon2id$v=16$m=64,t=1,p=1$" + salt + "$" + key,
		"$argon2id$v=19$m=64,t=0,p=1$" + salt + "$" + key, "$argon2id$v=19$m=64,t=1,p=0$" + salt + "$" + key,
		"$argon2id$v=19$m=64,t=101,p=1$" + salt + "$" + key, "$argon2id$v=19$m=4294967295,t=1,p=1$" + salt + "$" + key,
		"$argon2id$v=19$m=64,t=1,p=1$" + salt + "$", "$argon2id$v=19$m=64,t=1,p=1$!$" + key, "$argon2id$v=19$t=1$" + salt + "$" + key,
	} {
		if ok, err := newHasher(cheap()).verify(t.Context(), "x", stillcast.Secret(text)); ok || err == nil {
			t.Errorf("%s was taken", text)
		}
	}
}

// TestCost hashes at the cost of a server, which other tests do not.
func TestCost(t *testing.T) {
	h := newHasher(recommended())
	hash, err := h.hash(t.Context(), "correct horse battery")
	if err != nil || !strings.HasPrefix(hash.Reveal(), "$argon2id$v=19$m=65536,t=3,p=4$") {
		t.Errorf("the hash is %s, %v", hash.Reveal(), err)
	}
}
