#include "baseline.h"

#include <stdlib.h>
#include <string.h>

#include "entropy.h"
#include "strip.h"
#include "transform.h"

#if defined(SC_TRANSFORM_AVX2)

// One encoding: index 0 is luma's, 1 chroma's.
typedef struct baseline {
    sc_quantiser quantisers[2];
    sc_codes codes[2];
    sc_strip strip;
    uint8_t *coded; // the bits of a strip
    sc_bits bits;
    int last_dc[3];

    sc_jpeg *out;
    size_t capacity;
} baseline;

int sc_baseline_runs(void)
{
    return __builtin_cpu_supports("avx2") && sc_write_block_runs();
}

// reserve makes room for more bytes of the file.
static int reserve(baseline *b, size_t more)
{
    size_t needed = b->out->size + more;
    if (needed <= b->capacity) {
        return 0;
    }
    size_t capacity = b->capacity * 2 > needed ? b->capacity * 2 : needed;
    uint8_t *bytes = realloc(b->out->bytes, capacity);
    if (!bytes) {
        return AVERROR(ENOMEM);
    }
    b->out->bytes = bytes;
    b->capacity = capacity;
    return 0;
}

static void append(sc_jpeg *out, const void *bytes, size_t size)
{
    memcpy(out->bytes + out->size, bytes, size);
    out->size += size;
}

static void append_byte(sc_jpeg *out, int byte)
{
    out->bytes[out->size++] = (uint8_t)byte;
}

// append_marker begins a segment with size bytes behind its length.
static void append_marker(sc_jpeg *out, int marker, size_t size)
{
    const uint8_t head[4] = {0xff, (uint8_t)marker, (uint8_t)((size + 2) >> 8), (uint8_t)(size + 2)};
    append(out, head, sizeof head);
}

// The segments stand in libjpeg's order. Markers: ITU-T T.81, table B.1; APP0: JFIF 1.02, page 5.

static void append_steps(sc_jpeg *out, int index, const JQUANT_TBL *table)
{
    append_marker(out, 0xdb, 65);
    append_byte(out, index);
    for (int i = 0; i < 64; i++) {
        append_byte(out, table->quantval[sc_zigzag[i]]);
    }
}

static void append_codes(sc_jpeg *out, int index, const JHUFF_TBL *table)
{
    size_t symbols = 0;
    for (int i = 1; i <= 16; i++) {
        symbols += table->bits[i];
    }
    append_marker(out, 0xc4, 17 + symbols);
    append_byte(out, index);
    append(out, table->bits + 1, 16);
    append(out, table->huffval, symbols);
}

static void append_frame(sc_jpeg *out, int width, int height)
{
    const uint8_t frame[] = {
        8, (uint8_t)(height >> 8), (uint8_t)height, (uint8_t)(width >> 8), (uint8_t)width,
        3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1, // 4:2:0
    };
    append_marker(out, 0xc0, sizeof frame);
    append(out, frame, sizeof frame);
}

static void append_header(sc_jpeg *out, const AVFrame *frame, const struct jpeg_compress_struct *settings)
{
    const uint8_t start[] = {0xff, 0xd8}, jfif[] = {'J', 'F', 'I', 'F', 0, 1, 1, 0, 0, 1, 0, 1, 0, 0};
    const uint8_t scan[] = {3, 1, 0, 2, 0x11, 3, 0x11, 0, 63, 0};
    append(out, start, sizeof start);
    append_marker(out, 0xe0, sizeof jfif);
    append(out, jfif, sizeof jfif);
    append_steps(out, 0, settings->quant_tbl_ptrs[0]);
    append_steps(out, 1, settings->quant_tbl_ptrs[1]);
    append_frame(out, frame->width, frame->height);
    for (int i = 0; i < 2; i++) {
        append_codes(out, i, settings->dc_huff_tbl_ptrs[i]);
        append_codes(out, 0x10 | i, settings->ac_huff_tbl_ptrs[i]);
    }
    append_marker(out, 0xda, sizeof scan);
    append(out, scan, sizeof scan);
}

enum {
    header_room = 1024, // it has 623 bytes
    blocks_of_unit = 6,
};

// begin sets up an encoding; end has to be called even after an error.
static int begin(baseline *b, sc_jpeg *out, const AVFrame *frame, const struct jpeg_compress_struct *settings)
{
    memset(b, 0, sizeof *b);
    b->out = out;
    int code = sc_strip_init(&b->strip, frame->width);
    if (code < 0) {
        return code;
    }
    b->coded = malloc((size_t)b->strip.stride / 16 * blocks_of_unit * sc_block_room);
    if (!b->coded) {
        return AVERROR(ENOMEM);
    }
    for (int i = 0; i < 2; i++) {
        const JHUFF_TBL *dc = settings->dc_huff_tbl_ptrs[i], *ac = settings->ac_huff_tbl_ptrs[i];
        sc_quantiser_init(&b->quantisers[i], settings->quant_tbl_ptrs[i]->quantval);
        sc_codes_init(&b->codes[i], dc->bits, dc->huffval, ac->bits, ac->huffval);
    }
    return reserve(b, (size_t)frame->width * (size_t)frame->height / 4 + header_room);
}

static void end(baseline *b)
{
    sc_strip_free(&b->strip);
    free(b->coded);
}

// write_unit writes the MCU that begins at pixel x of the strip: four blocks of luma, one of Cb, one of Cr. Blocks of luma
// with nothing of the picture, of which width x height pixels are left here, are made to cost the fewest bits.
static void write_unit(baseline *b, int x, int width, int height)
{
    const sc_strip *s = &b->strip;
    sc_pair pair;
    for (int row = 0; row < sc_strip_rows; row += 8) {
        const uint8_t *luma = s->luma[row] + x;
        sc_transform_avx2(&pair, luma, luma + 8, s->stride, &b->quantisers[0]);
        for (int block = 0; block < 2; block++) {
            if (row >= height || 8 * block >= width) {
                pair.nonzero[block] = 0;
                pair.values[0][8 * block] = (int16_t)b->last_dc[0];
            }
            sc_write_block(&b->bits, &b->codes[0], &pair, block, &b->last_dc[0]);
        }
    }
    sc_transform_avx2(&pair, s->cb[0] + x / 2, s->cr[0] + x / 2, s->stride / 2, &b->quantisers[1]);
    sc_write_block(&b->bits, &b->codes[1], &pair, 0, &b->last_dc[1]);
    sc_write_block(&b->bits, &b->codes[1], &pair, 1, &b->last_dc[2]);
}

// append_coded appends the bits of a strip, each byte of 255 followed by a zero (ITU-T T.81, F.1.2.3).
static int append_coded(baseline *b)
{
    const uint8_t *from = b->coded, *to = b->bits.at;
    int code = reserve(b, 2 * (size_t)(to - from));
    while (code == 0 && from < to) {
        const uint8_t *full = memchr(from, 0xff, (size_t)(to - from));
        const uint8_t *next = full ? full + 1 : to;
        append(b->out, from, (size_t)(next - from));
        if (full) {
            append_byte(b->out, 0);
        }
        from = next;
    }
    return code;
}

static int write_strips(baseline *b, const sc_picture *picture)
{
    int code = 0;
    for (int top = 0; code == 0 && top < picture->frame->height; top += sc_strip_rows) {
        sc_strip_fill(&b->strip, picture, top);
        b->bits.at = b->coded;
        for (int x = 0; x < b->strip.stride; x += 16) {
            write_unit(b, x, picture->frame->width - x, picture->frame->height - top);
        }
        code = append_coded(b);
    }
    return code;
}

// finish fills the last byte with ones and ends the file.
static int finish(baseline *b)
{
    const uint8_t stop[] = {0xff, 0xd9};
    int code = reserve(b, 2 + sizeof stop);
    if (code < 0) {
        return code;
    }
    if (b->bits.count > 0) {
        unsigned free = 8 - b->bits.count;
        int last = (int)(uint8_t)(b->bits.pending << free | 0xff >> b->bits.count);
        append_byte(b->out, last);
        if (last == 0xff) {
            append_byte(b->out, 0);
        }
    }
    append(b->out, stop, sizeof stop);
    return 0;
}

int sc_baseline_encode(sc_jpeg *out, const sc_picture *picture, const struct jpeg_compress_struct *settings)
{
    baseline b;
    int code = begin(&b, out, picture->frame, settings);
    if (code == 0) {
        append_header(out, picture->frame, settings);
        code = write_strips(&b, picture);
    }
    if (code == 0) {
        code = finish(&b);
    }
    end(&b);
    return code;
}

#else

int sc_baseline_runs(void)
{
    return 0;
}

int sc_baseline_encode(sc_jpeg *out, const sc_picture *picture, const struct jpeg_compress_struct *settings)
{
    (void)out, (void)picture, (void)settings;
    return SC_JPEG;
}

#endif
