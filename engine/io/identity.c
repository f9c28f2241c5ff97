/* SPDX-License-Identifier: MIT */
#include "engine/io/identity.h"

#include "engine/io/certificate.h"
#include "engine/io/entropy.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define VALID_S   (20L * 365 * 86400) /* Contacts know us by the key, not by a date. */
#define EARLIER_S 86400L              /* The other side's clock may be behind. */

struct tdm_identity {
    EVP_PKEY *key;
    X509 *certificate;
    STACK_OF(X509) * chain; /* What stood behind it in the file; NULL for our own. */
    uint8_t fingerprint[TDM_FINGERPRINT_BYTES];
};

static bool name_it(X509 *certificate)
{
    X509_NAME *name = X509_get_subject_name(certificate);

    return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"tandem", -1,
                                      -1, 0) == 1 &&
           X509_set_issuer_name(certificate, name) == 1;
}

static bool sign_it(struct tdm_identity *id)
{
    X509 *c = id->certificate;
    uint64_t serial = tdm_entropy_u64() >> 1 | 1;

    return X509_set_version(c, X509_VERSION_3) == 1 &&
           ASN1_INTEGER_set_uint64(X509_get_serialNumber(c), serial) == 1 &&
           X509_gmtime_adj(X509_getm_notBefore(c), -EARLIER_S) &&
           X509_gmtime_adj(X509_getm_notAfter(c), VALID_S) && X509_set_pubkey(c, id->key) == 1 &&
           name_it(c) && X509_sign(c, id->key, EVP_sha256()) > 0;
}

static enum tdm_err library_failed(struct tdm_cause *cause, const char *what)
{
    char words[TDM_CERTIFICATE_WORDS];

    tdm_certificate_library_words(words);
    return tdm_fail(cause, TDM_E_SYSTEM, "cannot %s (%s)", what, words);
}

static enum tdm_err make(struct tdm_identity *id, struct tdm_cause *cause)
{
    id->key = EVP_EC_gen("P-256");
    id->certificate = X509_new();
    if (!id->key || !id->certificate || !sign_it(id))
        return library_failed(cause, "make a key and a certificate");
    return TDM_OK;
}

/* Beside the file, whole and on disk before the name appears: a crash leaves the old or the new. */
static enum tdm_err save(const struct tdm_identity *id, const char *path, struct tdm_cause *cause)
{
    char beside[4096];
    int size =
        snprintf(beside, sizeof beside, "%s.%016llx", path, (unsigned long long)tdm_entropy_u64());
    int fd = size > 0 && (size_t)size < sizeof beside
                 ? open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)
                 : -1;
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;

    if (!file) {
        if (fd >= 0)
            (void)close(fd);
        return tdm_fail(cause, TDM_E_SYSTEM, "cannot write the identity %s (%s)", path,
                        strerrordesc_np(errno));
    }
    bool good = PEM_write_PrivateKey(file, id->key, NULL, NULL, 0, NULL, NULL) == 1 &&
                PEM_write_X509(file, id->certificate) == 1 && fflush(file) == 0 && fsync(fd) == 0;

    good = fclose(file) == 0 && good;
    /* Not over a file that somebody else made meanwhile: both would have an identity of their own.
     */
    if (good && link(beside, path) != 0)
        good = errno != EEXIST && rename(beside, path) == 0;
    int failed = errno;

    (void)unlink(beside);
    return good ? TDM_OK
                : tdm_fail(cause, TDM_E_SYSTEM, "cannot write the identity %s (%s)", path,
                           strerrordesc_np(failed));
}

static bool read_pem(struct tdm_identity *id, FILE *file)
{
    X509 *next;

    id->key = PEM_read_PrivateKey(file, NULL, NULL, (void *)"");
    rewind(file);
    id->certificate = PEM_read_X509(file, NULL, NULL, (void *)"");
    if (!id->key || !id->certificate || X509_check_private_key(id->certificate, id->key) != 1)
        return false;
    while ((next = PEM_read_X509(file, NULL, NULL, (void *)""))) {
        if (!id->chain)
            id->chain = sk_X509_new_null();
        if (!id->chain || !sk_X509_push(id->chain, next)) {
            X509_free(next);
            return false;
        }
    }
    return true;
}

static enum tdm_err read_file(struct tdm_identity *id, FILE *file, const char *path,
                              struct tdm_cause *cause)
{
    struct stat about;

    if (fstat(fileno(file), &about) != 0 || !S_ISREG(about.st_mode))
        return tdm_fail(cause, TDM_E_MALFORMED, "%s is not a file: name another identity", path);
    if (about.st_mode & 077)
        return tdm_fail(cause, TDM_E_DENIED,
                        "others may read the key in %s: run `chmod 600 %s`, and remove the file "
                        "for a new identity if somebody else has seen it",
                        path, path);
    bool good = read_pem(id, file);

    ERR_clear_error();
    return good ? TDM_OK
                : tdm_fail(cause, TDM_E_MALFORMED,
                           "%s holds no key with its certificate: move it away, and a new "
                           "identity is made, which your contacts will be asked about",
                           path);
}

static enum tdm_err load(struct tdm_identity *id, const char *path, struct tdm_cause *cause)
{
    /* Twice: another program may make it between our look and our making. */
    for (int turn = 0; turn < 2; turn++) {
        FILE *file = path ? fopen(path, "re") : NULL;
        enum tdm_err err;

        if (file) {
            err = read_file(id, file, path, cause);
            (void)fclose(file);
            return err;
        }
        if (path && errno != ENOENT)
            return tdm_fail(cause, errno == EACCES ? TDM_E_DENIED : TDM_E_SYSTEM,
                            "cannot read the identity %s (%s)", path, strerrordesc_np(errno));
        err = make(id, cause);
        if (err != TDM_OK || !path)
            return err;
        err = save(id, path, cause);
        if (err == TDM_OK || access(path, F_OK) != 0)
            return err;
        EVP_PKEY_free(id->key);
        X509_free(id->certificate);
        id->key = NULL;
        id->certificate = NULL;
    }
    return tdm_fail(cause, TDM_E_SYSTEM, "cannot make the identity %s", path);
}

enum tdm_err tdm_identity_load(const char *path, struct tdm_identity **identity,
                               struct tdm_cause *cause)
{
    struct tdm_identity *id = calloc(1, sizeof *id);
    enum tdm_err err;

    *identity = NULL;
    if (!id)
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory for an identity");
    err = load(id, path, cause);
    if (err == TDM_OK)
        err = tdm_certificate_digest(id->certificate, id->fingerprint);
    if (err != TDM_OK) {
        tdm_identity_free(id);
        return err;
    }
    *identity = id;
    return TDM_OK;
}

void tdm_identity_free(struct tdm_identity *identity)
{
    if (!identity)
        return;
    EVP_PKEY_free(identity->key);
    X509_free(identity->certificate);
    sk_X509_pop_free(identity->chain, X509_free);
    free(identity);
}

const uint8_t *tdm_identity_fingerprint(const struct tdm_identity *identity)
{
    return identity->fingerprint;
}

enum tdm_err tdm_certificate_use(SSL_CTX *ctx, const struct tdm_identity *identity)
{
    bool good = SSL_CTX_use_certificate(ctx, identity->certificate) == 1 &&
                SSL_CTX_use_PrivateKey(ctx, identity->key) == 1 &&
                (!identity->chain || SSL_CTX_set1_chain(ctx, identity->chain) == 1);

    return good ? TDM_OK : TDM_E_SYSTEM;
}
