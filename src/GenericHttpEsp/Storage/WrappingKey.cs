using System.Security.Cryptography;

namespace GenericHttpEsp.Storage;

/// <summary>The key file, and AES-256-GCM with it: <c>nonce(12) tag(16) ciphertext</c>.</summary>
internal static class WrappingKey
{
    private const int LockTriesMax = 200;
    private static readonly TimeSpan LockStep = TimeSpan.FromMilliseconds(50);
    private const int KeyBytes = 32;
    private const int NonceBytes = 12;
    private const int TagBytes = 16;

    /// <summary>Reads the key file (base64 of 32 bytes), or makes one with mode 0600.</summary>
    public static async Task<byte[]> LoadAsync(string path, CancellationToken cancellationToken)
    {
        if (!File.Exists(path))
        {
            await MakeAsync(Path.GetFullPath(path), cancellationToken);
        }

        var text = (await File.ReadAllTextAsync(path, cancellationToken)).Trim();
        var key = new byte[KeyBytes];
        return Convert.TryFromBase64String(text, key, out var length) && length == KeyBytes
            ? key
            : throw new InvalidOperationException($"{path} does not hold the base64 of {KeyBytes} bytes. Restore the file that belongs to this database.");
    }

    /// <summary>
    /// Several silos may start on one shared folder at once: one makes the file, under a lock, and it appears whole. (A move that must not overwrite is a look
    /// and a rename: two could each read a key of their own.)
    /// </summary>
    private static async Task MakeAsync(string path, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        await using var gate = await LockAsync($"{path}.lock", cancellationToken);
        if (File.Exists(path))
        {
            return;
        }

        var fresh = $"{path}.new";
        File.Delete(fresh);
        await using (var file = new StreamWriter(fresh, Private(FileMode.CreateNew)))
        {
            await file.WriteLineAsync(Convert.ToBase64String(RandomNumberGenerator.GetBytes(KeyBytes)));
        }

        File.Move(fresh, path, overwrite: false);
    }

    /// <summary>Held as long as it is open, by this process or another.</summary>
    private static async Task<FileStream> LockAsync(string path, CancellationToken cancellationToken)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                return new FileStream(path, Private(FileMode.OpenOrCreate));
            }
            catch (IOException) when (tries < LockTriesMax)
            {
                await Task.Delay(LockStep, cancellationToken);
            }
        }
    }

    private static FileStreamOptions Private(FileMode mode)
    {
        var options = new FileStreamOptions { Mode = mode, Access = FileAccess.Write, Share = FileShare.None, Options = FileOptions.WriteThrough };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        return options;
    }

    public static byte[] Seal(byte[] key, ReadOnlySpan<byte> plain, ReadOnlySpan<byte> associated)
    {
        var output = new byte[NonceBytes + TagBytes + plain.Length];
        RandomNumberGenerator.Fill(output.AsSpan(0, NonceBytes));
        using var aes = new AesGcm(key, TagBytes);
        aes.Encrypt(output.AsSpan(0, NonceBytes), plain, output.AsSpan(NonceBytes + TagBytes), output.AsSpan(NonceBytes, TagBytes), associated);
        return output;
    }

    /// <exception cref="InvalidOperationException">Another key sealed it.</exception>
    public static byte[] Open(byte[] key, ReadOnlySpan<byte> wrapped, ReadOnlySpan<byte> associated)
    {
        var plain = new byte[wrapped.Length - NonceBytes - TagBytes];
        using var aes = new AesGcm(key, TagBytes);
        try
        {
            aes.Decrypt(wrapped[..NonceBytes], wrapped[(NonceBytes + TagBytes)..], wrapped.Slice(NonceBytes, TagBytes), plain, associated);
            return plain;
        }
        catch (AuthenticationTagMismatchException)
        {
            throw new InvalidOperationException("The key file does not open this database's keys. Restore the key file that belongs to it (Secrets:KeyFile).");
        }
    }
}
